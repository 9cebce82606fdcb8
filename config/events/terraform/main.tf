# A queue with the events that docs/events.md names, for one account and region: those of the provider.

terraform {
  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.0"
    }
  }
}

variable "name" {
  description = "Of the queue and of the rule. The policy of the environment's role has to allow it."
  type        = string
  default     = "ecsrelease-events"
}

resource "aws_sqs_queue" "events" {
  name = var.name

  # A hint that is an hour old is of no use: services were looked at since.
  message_retention_seconds = 3600
  sqs_managed_sse_enabled   = true
}

resource "aws_cloudwatch_event_rule" "events" {
  name        = var.name
  description = "What the EcsRelease operator wants to know of at once"

  event_pattern = jsonencode({
    "source" = ["aws.ecs", "aws.ecr"]
    "detail-type" = [
      "ECS Deployment State Change",
      "ECS Service Action",
      "ECS Hook State Change",
      "ECR Image Action",
      "ECR Replication Action",
    ]
  })
}

resource "aws_cloudwatch_event_target" "queue" {
  rule      = aws_cloudwatch_event_rule.events.name
  target_id = "queue"
  arn       = aws_sqs_queue.events.arn
}

resource "aws_sqs_queue_policy" "events" {
  queue_url = aws_sqs_queue.events.id

  policy = jsonencode({
    "Version" = "2012-10-17"
    "Statement" = [{
      "Sid"       = "LetTheRuleSend"
      "Effect"    = "Allow"
      "Principal" = { "Service" = "events.amazonaws.com" }
      "Action"    = "sqs:SendMessage"
      "Resource"  = aws_sqs_queue.events.arn
      "Condition" = { "ArnEquals" = { "aws:SourceArn" = aws_cloudwatch_event_rule.events.arn } }
    }]
  })
}

output "queue_url" {
  description = "For spec.eventQueues of the EcsEnvironment"
  value       = aws_sqs_queue.events.url
}
