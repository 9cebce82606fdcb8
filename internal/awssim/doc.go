// Package awssim is a local AWS: ECS, ECR, STS, Elastic Load Balancing (version 2), Route 53,
// Global Accelerator, the certificates of Certificate Manager (ACM), the alarms of CloudWatch,
// the standard queues of SQS and the rules of EventBridge on their wire protocols, for as many
// accounts and regions as anybody signs for, in one process and without a network if need be. The AWS SDKs and the aws command line work against it through
// AWS_ENDPOINT_URL, with real signatures; what it implements it answers as AWS does, and what
// it does not it refuses as AWS refuses an unknown operation.
//
// # Who calls
//
// Access and isolation follow the signature (Signature Version 4, verified in full). An
// access key ID of exactly twelve digits with the secret "awssim" is the root of that
// account. Users and roles, with trust and permission policies, come from [Simulator.PutUser]
// and [Simulator.PutRole]; sessions of roles from sts:AssumeRole. The region is the one in
// the signature's scope. Accounts and regions exist from their first use on.
//
// # Load balancers
//
// Application load balancers answer HTTP and HTTPS: [Simulator.LoadBalancer] as a handler,
// [Simulator.DialLoadBalancer] over connections in memory, [Simulator.ListenForLoadBalancers]
// on loopback addresses. They follow their rules by host, path and header, share requests
// out exactly by weight, and have their targets' health checked. Targets are the tasks of
// ECS services, or those that RegisterTargets names: those answer with their own address.
// Like AWS's, a load balancer whose targets are all unhealthy sends them the traffic all the
// same, and one without any target answers 503. A certificate of an HTTPS listener must be one
// of ACM's in the same region that was issued, or have the name of a server certificate of IAM's,
// which is believed; what clients are shown is for the name that they ask for all the same.
//
// # Names, certificates and accelerators
//
// Route 53 and Global Accelerator have one endpoint each: signatures for them name us-east-1
// and us-west-2, whatever region a client works in otherwise, and are refused else. Nothing
// resolves the names of hosted zones, but aliases must lead to what is there.
//
// A certificate that DNS validates is issued a minute and a half after its record was put into
// a public hosted zone, whoever owns that; it waits 72 hours. One that mail validates waits for
// [Simulator.SetCertificate]. Nothing renews certificates.
//
// An endpoint of an accelerator is healthy while its load balancer listens on the ports of the
// accelerator's listener, and each target group that those listeners give any weight has a
// healthy target. Endpoints are application load balancers of the accelerator's account.
//
// # Queues
//
// A queue is used at the URL that it was created with, whose host is the one that its creator
// sent to; only the account and the name in it matter. A message that was received and not
// deleted comes back when its visibility timeout is over, and goes to the dead-letter queue
// when it came back too often. Messages are received in the order in which they were sent or
// came back, which AWS does not promise. A queue holds 50,000 messages and 64 MiB of them at
// most and drops the oldest beyond that.
//
// # Events
//
// ECS and ECR tell EventBridge what happens, in the bodies that AWS documents: "ECS Deployment
// State Change", "ECS Service Action" (a steady state, an impaired start, a failed placement),
// "ECS Hook State Change" of pauses and "ECS Task State Change"; "ECR Image Action" of pushes
// and deletions, and "ECR Replication Action". Rules of the default bus send them to queues of their region whose
// policies let events.amazonaws.com send, about a second later; what a queue does not take is
// dropped. A delivery fault loses, copies, delays, reorders or replaces them.
//
// # Time
//
// Nothing in the package runs by itself: no goroutine, no ticker (but the other side of a
// connection that was dialed, and what ListenForLoadBalancers serves). What AWS takes time
// for is queued with the time at which it is due, and happens, in order, when the next
// request looks at the world. A ReceiveMessage that waits looks whenever something is due. So
// the package works in a testing/synctest bubble, where [Simulator.HTTPClient] connects the
// SDK without sockets; and Options.Speed makes that time pass faster. Timestamps, signatures,
// the expiry of sessions and the seconds of queues stay on the wall clock.
//
// # The admin API
//
// Everything that AWS has an operation for is seeded through it. The rest is under /_sim/,
// unsigned, in JSON; durations are written as "250ms" or "2m". Unknown members, values out
// of range and the like are 400 with {"error": "a sentence"}. GET /_sim/ lists the routes:
//
//	GET    /_sim/                        the routes, and the state of the switches
//	PUT    /_sim/users                   create or replace a User; answers it with its keys
//	GET    /_sim/users                   all users
//	DELETE /_sim/users/{account}/{name}  delete a user
//	PUT    /_sim/roles                   create or replace a Role; answers it with its ARN
//	GET    /_sim/roles                   all roles
//	DELETE /_sim/roles/{account}/{name}  delete a role and its sessions
//	PUT    /_sim/quotas                  {"enabled": true}: AWS's request quotas, buckets full
//	PUT    /_sim/latency                 {"read": "50ms", "write": "250ms"}
//	PUT    /_sim/images                  an ImageBehavior: what an image does when it runs
//	DELETE /_sim/images                  all images are well again
//	PUT    /_sim/targets                 a TargetHealth: what health checks of a target find
//	GET    /_sim/targets                 the registered targets of all load balancers
//	DELETE /_sim/targets                 checks find what the targets themselves answer
//	PUT    /_sim/endpoints               an EndpointHealth: of an endpoint of an accelerator
//	GET    /_sim/endpoints               the endpoints of all accelerators
//	DELETE /_sim/endpoints               the load balancers decide about their health
//	PUT    /_sim/certificates            a CertificateState: what a certificate of ACM's is to be like
//	GET    /_sim/certificates            the certificates of all accounts and regions
//	GET    /_sim/ca.pem                  the authority of the load balancers' certificates
//	PUT    /_sim/replication             {"account": .., "region": .., "delay": "1m"} of ECR
//	POST   /_sim/faults                  a Fault; answers it with its ID
//	GET    /_sim/faults                  the faults in force, with what they hit
//	DELETE /_sim/faults                  end all faults
//	DELETE /_sim/faults/{id}             end one
//	GET    /_sim/deliveries              what became of the newest thousand events that a rule had
//	                                     for a target: an EventDelivery each
//	DELETE /_sim/deliveries              forget those that are over
//	POST   /_sim/deliveries/faults       a DeliveryFault; answers it with its ID
//	GET    /_sim/deliveries/faults       those in force, with what they hit
//	DELETE /_sim/deliveries/faults       end all of them
//	DELETE /_sim/deliveries/faults/{id}  end one
//	GET    /_sim/journal                 calls; ?principal= ?account= ?service= ?operation= with * and ?,
//	                                     ?since= an RFC 3339 time, ?after= a sequence number
//	GET    /_sim/journal/summary         counts per principal and operation; actions authorised
//	DELETE /_sim/journal                 forget all calls and counts
//
// The types named here are those of this package.
package awssim
