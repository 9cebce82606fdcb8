package controllers_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"k8s.io/apimachinery/pkg/api/meta"

	ecsv1alpha1 "heliumai.space/ecsrelease/api/v1alpha1"
)

// queue makes a queue in the world's account.
func (w *world) queue(name string) (url string) {
	w.t.Helper()
	made, err := sqs.NewFromConfig(w.root(home)).CreateQueue(w.t.Context(), &sqs.CreateQueueInput{QueueName: &name})
	w.must(err)
	return *made.QueueUrl
}

func (w *world) send(url, body string) {
	w.t.Helper()
	_, err := sqs.NewFromConfig(w.root(home)).SendMessage(w.t.Context(), &sqs.SendMessageInput{QueueUrl: &url, MessageBody: &body})
	w.must(err)
}

// An environment says how it goes with its queues, and what is wrong with them.
func TestAnEnvironmentTellsOfItsQueues(t *testing.T) {
	w := newWorld(t)
	w.push("v1")
	w.serve(desired("backend"))
	release := w.apply("helium-backend:v1")
	w.ready(release)
	named := func(urls ...string) {
		w.govern(func(spec *ecsv1alpha1.EcsEnvironmentSpec) {
			spec.EventQueues = nil
			for _, url := range urls {
				spec.EventQueues = append(spec.EventQueues, ecsv1alpha1.EventQueue{URL: url, Region: home})
			}
		})
	}
	first, second := w.queue("ecsrelease-events"), w.queue("ecsrelease-more")
	named(first, second)
	w.awaitEnvironment(ecsv1alpha1.ConditionEventsReceived, ecsv1alpha1.ReasonObserving, first, second)
	looks := len(w.calls("DescribeServices"))
	event := fmt.Sprintf(`{"detail-type":"ECS Service Action","source":"aws.ecs","account":%q,"region":%q,"resources":["arn:aws:ecs:%s:%s:service/%s/backend"],"detail":{}}`,
		w.account, home, home, w.account, cluster)
	w.send(first, event)
	w.awaitEnvironment(ecsv1alpha1.ConditionEventsReceived, ecsv1alpha1.ReasonObserving, second)
	w.eventually("a look at the service", func() error {
		if made := len(w.calls("DescribeServices")); made <= looks {
			return fmt.Errorf("%d looks", made)
		}
		return nil
	})
	w.send(second, "garbage") // which is no sign that events come
	w.send(second, event)
	environment := w.awaitEnvironment(ecsv1alpha1.ConditionEventsReceived, ecsv1alpha1.ReasonReceiving, "2 of 2")
	w.check(meta.IsStatusConditionTrue(environment.Status.Conditions, ecsv1alpha1.ConditionReady), "the environment is not Ready")

	w.deny("sqs:ReceiveMessage")
	w.awaitEnvironment(ecsv1alpha1.ConditionEventsReceived, ecsv1alpha1.ReasonAccessDenied, "sqs:ReceiveMessage", "at intervals all the same")
	w.grant()
	named(strings.Replace(first, "ecsrelease-events", "ecsrelease-absent", 1))
	w.awaitEnvironment(ecsv1alpha1.ConditionEventsReceived, ecsv1alpha1.ReasonObservationFailed, "ecsrelease-absent")
	w.ready(release)
	named()
	w.eventually("the condition to go with the queues", func() error {
		if seen := meta.FindStatusCondition(w.governed().Status.Conditions, ecsv1alpha1.ConditionEventsReceived); seen != nil {
			return fmt.Errorf("it is %+v", seen)
		}
		return nil
	})
}
