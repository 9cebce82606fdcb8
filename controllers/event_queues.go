package controllers

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	ecsv1alpha1 "heliumai.space/ecsrelease/api/v1alpha1"
	"heliumai.space/ecsrelease/internal/cloud"
)

// queuesOf are the queues of an environment, with the identities that receive from them.
func queuesOf(environment *ecsv1alpha1.EcsEnvironment) []cloud.Queue {
	queues := make([]cloud.Queue, 0, len(environment.Spec.EventQueues))
	for _, queue := range environment.Spec.EventQueues {
		aws := environment.Spec.AWS
		if queue.AWS != nil {
			aws = *queue.AWS
		}
		queues = append(queues, cloud.Queue{Identity: identityOf(environment, aws), Region: queue.Region, URL: queue.URL})
	}
	return queues
}

// heard is the condition EventsReceived: what is wrong with the queues, or else which of them have yet
// to say something; nil where there are none. Its words change when that does, and not with time.
//
// What a manager before this one has heard still counts, until something speaks against it.
func (r *EnvironmentReconciler) heard(environment *ecsv1alpha1.EcsEnvironment, queues []cloud.Queue) *metav1.Condition {
	if len(queues) == 0 {
		return nil
	}
	condition := func(status metav1.ConditionStatus, reason, message string) *metav1.Condition {
		return &metav1.Condition{Type: ecsv1alpha1.ConditionEventsReceived, Status: status, Reason: reason, Message: clip(message, 1024)}
	}
	var reason string
	var wrong, silent, quiet []string
	for _, queue := range queues {
		switch hearing := r.Fleet.Heard(queue); {
		case hearing.Problem != nil:
			if len(wrong) == 0 {
				reason = hearing.Problem.Reason
			}
			wrong = append(wrong, hearing.Problem.Message)
		case !hearing.Missed.IsZero():
			silent = append(silent, fmt.Sprintf("queue %s brought no event of a service in %s that was seen to have changed at %s",
				queue.URL, queue.Region, hearing.Missed.UTC().Format(time.RFC3339)))
		case hearing.Heard.IsZero():
			quiet = append(quiet, queue.URL)
		}
	}
	const meanwhile = "services are looked at at intervals all the same"
	switch {
	case len(wrong) > 0:
		return condition(metav1.ConditionFalse, reason, strings.Join(append(wrong, meanwhile), "; "))
	case len(silent) > 0:
		return condition(metav1.ConditionFalse, ecsv1alpha1.ReasonSilent, strings.Join(append(silent, "look at the rule of EventBridge and at the policy of the queue", meanwhile), "; "))
	case len(quiet) > 0 && receiving(environment):
		return meta.FindStatusCondition(environment.Status.Conditions, ecsv1alpha1.ConditionEventsReceived).DeepCopy()
	case len(quiet) > 0:
		slices.Sort(quiet)
		return condition(metav1.ConditionUnknown, ecsv1alpha1.ReasonObserving, "no event came yet from "+strings.Join(quiet, ", "))
	default:
		return condition(metav1.ConditionTrue, ecsv1alpha1.ReasonReceiving, fmt.Sprintf("events come from %d of %d queues", len(queues), len(queues)))
	}
}

// receiving says that events came from every queue of an environment as it is.
func receiving(environment *ecsv1alpha1.EcsEnvironment) bool {
	known := meta.FindStatusCondition(environment.Status.Conditions, ecsv1alpha1.ConditionEventsReceived)
	return known != nil && known.Status == metav1.ConditionTrue && known.ObservedGeneration == environment.Generation
}
