package awssim

import "net/http"

// sqsQueryNames are the codes that SQS had in the query protocol, for the errors whose shape
// is called otherwise (the awsQueryError traits of the model). Clients in query mode see these.
var sqsQueryNames = map[string]string{
	"BatchEntryIdsNotDistinct":       "AWS.SimpleQueueService.BatchEntryIdsNotDistinct",
	"BatchRequestTooLong":            "AWS.SimpleQueueService.BatchRequestTooLong",
	"EmptyBatchRequest":              "AWS.SimpleQueueService.EmptyBatchRequest",
	"InvalidBatchEntryId":            "AWS.SimpleQueueService.InvalidBatchEntryId",
	"InvalidParameterValueException": "InvalidParameterValue",
	"MessageNotInflight":             "AWS.SimpleQueueService.MessageNotInflight",
	"MissingParameterException":      "MissingParameter",
	"PurgeQueueInProgress":           "AWS.SimpleQueueService.PurgeQueueInProgress",
	"QueueDeletedRecently":           "AWS.SimpleQueueService.QueueDeletedRecently",
	"QueueDoesNotExist":              "AWS.SimpleQueueService.NonExistentQueue",
	"QueueNameExists":                "QueueAlreadyExists",
	"TooManyEntriesInBatchRequest":   "AWS.SimpleQueueService.TooManyEntriesInBatchRequest",
	"UnsupportedOperation":           "AWS.SimpleQueueService.UnsupportedOperation",
}

func sqsError(code, format string, args ...any) *apiError {
	return newError(http.StatusBadRequest, code, format, args...)
}

func queueDoesNotExist() *apiError {
	return sqsError("QueueDoesNotExist", "The specified queue does not exist.")
}

func missingParameter(name string) *apiError {
	return sqsError("MissingParameterException", "The request must contain the parameter %s.", name)
}

// invalidValue is a parameter that SQS does not take.
func invalidValue(parameter, value, reason string) *apiError {
	return sqsError("InvalidParameterValueException", "Value %s for parameter %s is invalid. Reason: %s", value, parameter, reason)
}

// invalidAttribute is an attribute of a queue with a value that it cannot have.
func invalidAttribute(name, reason string) *apiError {
	message := "Invalid value for the parameter " + name + "."
	if reason != "" {
		message += " Reason: " + reason
	}
	return sqsError("InvalidAttributeValue", "%s", message)
}

// notInSQS refuses a parameter, instead of ignoring it.
func notInSQS(what string) *apiError {
	return sqsError("UnsupportedOperation", "awssim does not implement %s", what)
}
