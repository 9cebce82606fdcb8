package cloud

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	sqstypes "github.com/aws/aws-sdk-go-v2/service/sqs/types"

	ecsv1alpha1 "heliumai.space/ecsrelease/api/v1alpha1"
	"heliumai.space/ecsrelease/internal/awssim"
	"heliumai.space/ecsrelease/internal/awssim/seed"
	"heliumai.space/ecsrelease/internal/rollout"
)

func TestHints(t *testing.T) {
	const arn = "arn:aws:ecs:ap-south-1:111122223333:"
	service := hint{account: account, region: region, cluster: "helium", service: "backend"}
	of := func(source, kind, resources, detail string) string {
		return fmt.Sprintf(`{"version":"0","id":"7d2f","detail-type":%q,"source":%q,"account":"111122223333","time":"2026-11-26T09:00:00Z","region":"ap-south-1","resources":[%s],"detail":%s}`, kind, source, resources, detail)
	}
	for name, c := range map[string]struct {
		body string
		want []hint
		kind string
	}{
		"a deployment":               {of("aws.ecs", kindDeployment, `"`+arn+`service/helium/backend"`, `{"eventName":"SERVICE_DEPLOYMENT_COMPLETED"}`), []hint{service}, kindDeployment},
		"a service action":           {of("aws.ecs", kindAction, `"`+arn+`service/helium/backend"`, `{"eventName":"SERVICE_STEADY_STATE"}`), []hint{service}, kindAction},
		"an ARN without its cluster": {of("aws.ecs", kindAction, `"`+arn+`service/backend"`, `{}`), []hint{{account: account, region: region, service: "backend"}}, kindAction},
		"a hook": {
			of("aws.ecs", kindHook, `"`+arn+`service-deployment/helium/backend/NCWGC2ZR"`, `{"eventName":"HOOK_AWAITING_ACTION","serviceArn":"`+arn+`service/helium/backend"}`),
			[]hint{service},
			kindHook,
		},
		"a push": {
			of("aws.ecr", kindImage, ``, `{"action-type":"PUSH","result":"SUCCESS","repository-name":"team/helium","image-tag":"v7"}`),
			[]hint{{account: account, region: region, repository: "team/helium", tag: "v7"}},
			kindImage,
		},
		"a push without a tag": {of("aws.ecr", kindImage, ``, `{"action-type":"PUSH","result":"SUCCESS","repository-name":"helium"}`), nil, kindImage},
		"a push that failed":   {of("aws.ecr", kindImage, ``, `{"action-type":"PUSH","result":"FAILURE","repository-name":"helium"}`), nil, kindImage},
		"a replica": {
			of("aws.ecr", kindReplica, ``, `{"action-type":"REPLICATE","result":"SUCCESS","repository-name":"helium","image-tag":"v7","source-region":"us-east-1"}`),
			[]hint{{account: account, region: region, repository: "helium", tag: "v7"}},
			kindReplica,
		},
		"an image that was deleted":       {of("aws.ecr", kindImage, ``, `{"action-type":"DELETE","result":"SUCCESS","repository-name":"helium"}`), nil, kindImage},
		"a task":                          {of("aws.ecs", "ECS Task State Change", `"`+arn+`task/helium/0f39"`, `{}`), nil, kindOther},
		"somebody who claims to be ECS":   {of("my.app", kindAction, `"`+arn+`service/helium/backend"`, `{}`), nil, kindOther},
		"an ARN of something else":        {of("aws.ecs", kindAction, `"arn:aws:s3:::bucket", "`+arn+`cluster/helium", "service", ""`, `{}`), nil, kindAction},
		"a name that is a path":           {of("aws.ecs", kindAction, `"`+arn+`service/a/b/c", "`+arn+`service/"`, `{}`), nil, kindAction},
		"no event":                        {`{"Type":"Notification"}`, nil, kindGarbage},
		"no JSON":                         {"\x00\xff hello", nil, kindGarbage},
		"nothing":                         {"", nil, kindGarbage},
		"JSON of another shape":           {`{"detail-type":"ECS Service Action","resources":"all"}`, nil, kindGarbage},
		"a detail of another shape":       {of("aws.ecs", kindAction, `"`+arn+`service/helium/backend"`, `"none"`), nil, kindGarbage},
		"a document that never ends well": {strings.Repeat("[", 100_000), nil, kindGarbage},
	} {
		t.Run(name, func(t *testing.T) {
			got, kind := hintsOf([]byte(c.body))
			if kind != c.kind || !slices.Equal(got, c.want) {
				t.Errorf("it is a %s that tells %+v, want a %s that tells %+v", kind, got, c.kind, c.want)
			}
		})
	}
}

func (w *world) sqs() *sqs.Client { return sqs.NewFromConfig(w.root()) }

// queue makes a queue.
func (w *world) queue(name string) Queue {
	w.t.Helper()
	made, err := w.sqs().CreateQueue(w.t.Context(), &sqs.CreateQueueInput{QueueName: &name})
	if err != nil {
		w.t.Fatal(err)
	}
	return Queue{Identity: w.id, Region: region, URL: *made.QueueUrl}
}

// send puts messages into a queue.
func (w *world) send(q Queue, bodies ...string) {
	w.t.Helper()
	for _, body := range bodies {
		if _, err := w.sqs().SendMessage(w.t.Context(), &sqs.SendMessageInput{QueueUrl: &q.URL, MessageBody: &body}); err != nil {
			w.t.Fatal(err)
		}
	}
}

// left is how many messages are in a queue, received or not.
func (w *world) left(q Queue) string {
	w.t.Helper()
	names := []sqstypes.QueueAttributeName{sqstypes.QueueAttributeNameApproximateNumberOfMessages, sqstypes.QueueAttributeNameApproximateNumberOfMessagesNotVisible}
	out, err := w.sqs().GetQueueAttributes(w.t.Context(), &sqs.GetQueueAttributesInput{QueueUrl: &q.URL, AttributeNames: names})
	if err != nil {
		w.t.Fatal(err)
	}
	return out.Attributes[string(names[0])] + "+" + out.Attributes[string(names[1])]
}

// somebodyDeploys does to a service what somebody else may do.
func (w *world) somebodyDeploys(service string) (revision string) {
	w.t.Helper()
	revision = w.revise(service, "docker.io/library/nginx:2")
	if _, err := w.ecs().UpdateService(w.t.Context(), &ecs.UpdateServiceInput{Cluster: aws.String(cluster), Service: &service, TaskDefinition: &revision}); err != nil {
		w.t.Fatal(err)
	}
	return revision
}

// push is an event about an image.
const push = `{"detail-type":"ECR Image Action","source":"aws.ecr","account":"111122223333","region":"ap-south-1","resources":[],` +
	`"detail":{"action-type":"PUSH","result":"SUCCESS","repository-name":"helium-backend","image-tag":"v2"}}`

// action is an event about a service.
func action(service string) string { return actionIn(account, region, service) }

func actionIn(account, region, service string) string {
	event, _ := json.Marshal(map[string]any{
		"version": "0", "detail-type": kindAction, "source": "aws.ecs", "account": account, "region": region,
		"resources": []string{"arn:aws:ecs:" + region + ":" + account + ":service/" + cluster + "/" + service},
		"detail":    map[string]any{"eventType": "INFO", "eventName": "SERVICE_STEADY_STATE"},
	})
	return string(event)
}

func TestAnEventHasItsServiceLookedAtAtOnceAndTwiceMore(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.service(seed.Service{Name: "backend", Desired: 1})
		w.service(seed.Service{Name: "worker", Desired: 1})
		w.settle()
		w.track("backend", "worker")
		w.view(w.key("backend"))
		q := w.queue("events")
		w.fleet.Hear("production", []Queue{q})
		time.Sleep(time.Minute)
		w.news()
		w.sim.ResetJournal()

		w.send(q, action("backend"), action("backend"), action("absent"), "garbage", `{"detail-type":"ECS Task State Change","source":"aws.ecs"}`)
		time.Sleep(500 * time.Millisecond)
		if n := w.news(); n != 1 {
			t.Errorf("half a second after the event the owner was enqueued %d times, wanted once", n)
		}
		if v, ok := w.fleet.View(w.key("backend"), time.Now().Add(-time.Second)); !ok || v.Problem != nil {
			t.Error("it was not looked at")
		}
		for _, after := range []string{"one second", "two"} {
			time.Sleep(time.Second)
			if n := w.news(); n != 1 {
				t.Errorf("%s later the owner was enqueued %d times, wanted once more", after, n)
			}
		}
		time.Sleep(10 * time.Second)
		if left := w.left(q); left != "0+0" {
			t.Errorf("%s messages are left, wanted none", left)
		}
		if looks := w.calls()["DescribeServices"]; looks != 3 {
			t.Errorf("%d looks, wanted 3", looks)
		}
		if h := w.fleet.Heard(q); h.Heard.IsZero() || h.Problem != nil || !h.Missed.IsZero() {
			t.Errorf("the queue is %+v", h)
		}
	})
}

func TestAPushIsTold(t *testing.T) {
	var told []string
	inWorld(t, func(t *testing.T, w *world) {
		q := w.queue("events")
		w.fleet.Hear("production", []Queue{q})
		w.send(q, push)
		time.Sleep(time.Second)
	}, func(o *Options) {
		o.Pushed = func(repository, tag string) { told = append(told, repository+":"+tag) }
	})
	if !slices.Equal(told, []string{"helium-backend:v2"}) {
		t.Errorf("told of %v", told)
	}
}

// A queue is asked by one loop, however many want it, and by none when nobody does.
func TestAQueueIsAskedByOneLoop(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		q := w.queue("events")
		asked := func() int {
			w.sim.ResetJournal()
			time.Sleep(10 * longPoll)
			return w.calls()["ReceiveMessage"]
		}
		another := q
		another.Identity.Environment = "staging"
		w.fleet.Hear("production", []Queue{q})
		w.fleet.Hear("staging", []Queue{another, another})
		if n := asked(); n < 9 || n > 11 {
			t.Errorf("it was asked %d times in ten long polls", n)
		}
		w.fleet.Hear("production", nil)
		if n := asked(); n < 9 || n > 11 {
			t.Errorf("it was asked %d times in ten long polls, for the one that is left", n)
		}
		w.fleet.Hear("staging", nil)
		time.Sleep(time.Second)
		if n := asked(); n != 0 {
			t.Errorf("it was asked %d times, and nobody wants it", n)
		}
		if h := w.fleet.Heard(q); h != (Hearing{}) {
			t.Errorf("it is %+v", h)
		}
	})
}

// Where several environments name a queue, one that may receive from it is enough.
func TestAQueueIsHeardAsWhoeverMay(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		q := w.queue("events")
		denied := q
		denied.Identity = w.role("denied", []json.RawMessage{policy("Allow", "ecs:*", "*")})
		w.fleet.Hear("a-denied", []Queue{denied})
		w.fleet.Hear("production", []Queue{q})
		w.sim.ResetJournal()
		w.send(q, action("backend"))
		time.Sleep(10 * time.Second)
		if h := w.fleet.Heard(q); h.Heard.IsZero() || w.left(q) != "0+0" {
			t.Errorf("the queue is %+v, with %s messages left", h, w.left(q))
		}
		if h := w.fleet.Heard(denied); h != w.fleet.Heard(q) {
			t.Errorf("for the one that is denied it is %+v", h)
		}
	})
}

// A role that may not is asked no more once it is known who may, and says nothing against the queue.
func TestARoleThatMayNotHidesNothingOfAQueueThatIsHeard(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.service(seed.Service{Name: "backend", Desired: 1})
		w.settle()
		w.track("backend")
		w.view(w.key("backend"))
		q := w.queue("events")
		denied := q
		denied.Identity = w.role("denied", []json.RawMessage{policy("Allow", "ecs:*", "*")})
		w.fleet.Hear("a-denied", []Queue{denied})
		w.fleet.Hear("production", []Queue{q})
		time.Sleep(time.Minute)
		w.sim.ResetJournal()
		for range 6000 {
			time.Sleep(100 * time.Millisecond)
			if problem := w.fleet.Heard(q).Problem; problem != nil {
				t.Fatalf("messages are received, and the queue's problem is %v", problem)
			}
		}
		for _, c := range w.sim.Summary().Calls {
			if c.Operation == "ReceiveMessage" && strings.Contains(c.Principal, "denied") {
				t.Errorf("the role that may not asked %d times more", c.Calls)
			}
		}

		for range 300 {
			w.send(q, action("backend"))
		}
		began := time.Now()
		for w.left(q) != "0+0" {
			time.Sleep(100 * time.Millisecond)
		}
		if took := time.Since(began); took > 5*time.Second {
			t.Errorf("300 messages took %s", took)
		}

		// A change of which nothing came is told of all the same.
		time.Sleep(time.Hour)
		w.somebodyDeploys("backend")
		time.Sleep(10 * time.Minute)
		if h := w.fleet.Heard(q); h.Missed.IsZero() {
			t.Errorf("a deployment of which no event came went unnoticed: %+v", h)
		}
	})
}

// The right to receive may move from one role to another, and be taken from all.
func TestWhoMayReceiveMayChange(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		nothing := []json.RawMessage{policy("Allow", "ecs:*", "*")}
		q := w.queue("events")
		a, b := q, q
		a.Identity, b.Identity = w.role("a", nil), w.role("b", nothing)
		w.fleet.Hear("a", []Queue{a})
		w.fleet.Hear("b", []Queue{b})
		time.Sleep(time.Minute)
		noProblem(t, w.fleet.Heard(q).Problem)

		w.role("a", nothing)
		w.role("b", nil)
		time.Sleep(time.Minute)
		noProblem(t, w.fleet.Heard(q).Problem)

		w.role("b", nothing)
		time.Sleep(10 * time.Minute)
		wantProblem(t, w.fleet.Heard(q).Problem, rollout.ProblemDenied, ecsv1alpha1.ReasonAccessDenied, "sqs:ReceiveMessage")
		w.sim.ResetJournal()
		time.Sleep(10 * time.Minute)
		if n := w.calls()["ReceiveMessage"]; n > 2*25 {
			t.Errorf("two roles tried %d times in ten minutes", n)
		}

		// Who may receive need not be who may delete.
		w.role("a", []json.RawMessage{policy("Allow", "sqs:ReceiveMessage", "*")})
		w.role("b", []json.RawMessage{policy("Allow", "sqs:DeleteMessage", "*")})
		w.send(q, action("backend"))
		time.Sleep(3 * time.Minute)
		noProblem(t, w.fleet.Heard(q).Problem)
		if left := w.left(q); left != "0+0" {
			t.Errorf("%s messages are left", left)
		}
	})
}

// That a role may not receive from a queue says nothing against the credentials that ECS is asked with.
func TestADeniedQueueKeepsTheCredentials(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		q := w.queue("events")
		q.Identity = w.role("listener", []json.RawMessage{policy("Allow", "ecs:*", "*")})
		w.fleet.Hear("production", []Queue{q})
		time.Sleep(30 * time.Minute)
		if n := w.calls()["AssumeRole"]; n != 1 {
			t.Errorf("the role was assumed %d times in half an hour, wanted once", n)
		}
	})
}

func TestAQueueThatDoesNotAnswerIsToldOfAndTriedAgain(t *testing.T) {
	for name, c := range map[string]struct {
		action, reason, says string
		class                rollout.ProblemClass
	}{
		"denied":  {"ecs:*", ecsv1alpha1.ReasonAccessDenied, "sqs:ReceiveMessage", rollout.ProblemDenied},
		"missing": {"*", ecsv1alpha1.ReasonObservationFailed, "absent", rollout.ProblemMissing},
	} {
		t.Run(name, func(t *testing.T) {
			inWorld(t, func(t *testing.T, w *world) {
				q := w.queue("events")
				q.Identity = w.role("listener", []json.RawMessage{policy("Allow", c.action, "*")})
				if name == "missing" {
					q.URL = strings.Replace(q.URL, "events", "absent", 1)
				}
				w.fleet.Hear("production", []Queue{q})
				time.Sleep(10 * time.Minute)
				wantProblem(t, w.fleet.Heard(q).Problem, c.class, c.reason, c.says)
				if n := w.calls()["ReceiveMessage"]; n < 8 || n > 25 {
					t.Errorf("it was tried %d times in ten minutes", n)
				}
				if name == "missing" {
					w.queue("absent")
				} else {
					w.role("listener", nil)
				}
				time.Sleep(3 * time.Minute)
				noProblem(t, w.fleet.Heard(q).Problem)
			})
		})
	}
}

// What could not be deleted comes again, and nothing is lost.
func TestAMessageThatIsNotDeletedIsLookedIntoAgain(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.service(seed.Service{Name: "backend", Desired: 1})
		w.settle()
		w.track("backend")
		w.view(w.key("backend"))
		q := w.queue("events")
		w.fleet.Hear("production", []Queue{q})
		time.Sleep(time.Minute)
		w.fault(awssim.Fault{Operation: "DeleteMessageBatch", Times: 3, Error: &awssim.FaultError{Status: 500, Code: "InternalError", Message: "oops"}})
		w.news()
		w.send(q, action("backend"))
		time.Sleep(visibility - time.Second)
		if n := w.news(); n != 3 {
			t.Errorf("the owner was enqueued %d times, wanted three times", n)
		}
		time.Sleep(visibility)
		if n := w.news(); n == 0 || w.left(q) != "0+0" {
			t.Errorf("the owner was enqueued %d times more, and %s messages are left", n, w.left(q))
		}
	})
}

// A queue that says nothing while services change is known to be silent.
func TestASilentQueueIsNoticed(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.service(seed.Service{Name: "backend", Desired: 1})
		w.settle()
		w.track("backend")
		w.view(w.key("backend"))
		q := w.queue("events")
		w.fleet.Hear("production", []Queue{q})
		time.Sleep(time.Hour)
		if h := w.fleet.Heard(q); !h.Missed.IsZero() || !h.Heard.IsZero() {
			t.Errorf("nothing happens, and the queue is %+v", h)
		}
		revision := w.somebodyDeploys("backend")
		for w.view(w.key("backend")).Primary().Revision != revision {
			time.Sleep(time.Second)
		}
		if h := w.fleet.Heard(q); !h.Missed.IsZero() {
			t.Errorf("an event may be on its way yet, and the queue is %+v", h)
		}
		time.Sleep(unheard)
		synctest.Wait()
		missed := w.fleet.Heard(q).Missed
		if missed.IsZero() {
			t.Errorf("a service was deployed, and the silence went unnoticed: %+v", w.fleet.Heard(q))
		}
		// What goes on in the account does not put it off.
		time.Sleep(time.Hour)
		if h := w.fleet.Heard(q); !h.Missed.Equal(missed) {
			t.Errorf("it was silent since %s, and is now %+v", missed, h)
		}
		w.send(q, action("backend"))
		time.Sleep(time.Second)
		if h := w.fleet.Heard(q); !h.Missed.IsZero() {
			t.Errorf("an event came, and the queue is %+v", h)
		}
	})
}

// What comes says that a queue brings events of services only if it is one, of a service that should come.
func TestNothingElseExcusesTheSilenceOfAQueue(t *testing.T) {
	for name, c := range map[string]struct {
		message string
		heard   bool // it is an event all the same
	}{
		"garbage":                         {"garbage", false},
		"an event of another kind":        {`{"detail-type":"ECS Task State Change","source":"aws.ecs"}`, false},
		"an action of no service":         {`{"detail-type":"ECS Service Action","source":"aws.ecs","resources":["arn:aws:ecs:ap-south-1:111122223333:cluster/helium"]}`, false},
		"a push":                          {push, true},
		"an action in another account":    {actionIn("999988887777", region, "backend"), true},
		"an action in another region":     {actionIn(account, "us-east-1", "backend"), true},
		"an action of the service itself": {action("backend"), true},
	} {
		t.Run(name, func(t *testing.T) {
			inWorld(t, func(t *testing.T, w *world) {
				w.service(seed.Service{Name: "backend", Desired: 1})
				w.settle()
				w.track("backend")
				w.view(w.key("backend"))
				q := w.queue("events")
				w.fleet.Hear("production", []Queue{q})
				excused := name == "an action of the service itself"
				everyMinute := func(n int) {
					for range n {
						w.send(q, c.message)
						time.Sleep(time.Minute)
					}
				}
				everyMinute(60)
				if h := w.fleet.Heard(q); h.Heard.IsZero() == c.heard || w.left(q) != "0+0" {
					t.Errorf("the queue is %+v, with %s messages left; want it heard: %t", h, w.left(q), c.heard)
				}
				w.somebodyDeploys("backend")
				everyMinute(20)
				if h := w.fleet.Heard(q); h.Missed.IsZero() != excused {
					t.Errorf("a service was deployed, and the queue is %+v", h)
				}
				w.send(q, action("backend"))
				time.Sleep(time.Second)
				if h := w.fleet.Heard(q); h.Heard.IsZero() || !h.Missed.IsZero() {
					t.Errorf("an event of the service came, and the queue is %+v", h)
				}
			})
		})
	}
}

// From the moment that somebody deploys to a service that has settled, with the events that ECS sends.
func TestWhatSomebodyDeploysIsSeenInSeconds(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.service(seed.Service{Name: "backend", Desired: 1})
		w.settle()
		w.track("backend")
		w.view(w.key("backend"))
		made, err := seed.Listener{Name: "events"}.Create(t.Context(), w.sqs(), eventbridge.NewFromConfig(w.root()))
		if err != nil {
			t.Fatal(err)
		}
		q := Queue{Identity: w.id, Region: region, URL: made.QueueURL}
		w.fleet.Hear("production", []Queue{q})
		time.Sleep(time.Second)
		w.news()
		began := time.Now()
		revision := w.somebodyDeploys("backend")
		for seen := ""; seen != revision; {
			if time.Since(began) > 5*time.Second {
				t.Fatalf("after %s the view has %q", time.Since(began), seen)
			}
			time.Sleep(100 * time.Millisecond)
			if v, ok := w.fleet.View(w.key("backend"), time.Time{}); ok {
				seen = v.Primary().Revision
			}
		}
		if n := w.news(); n == 0 {
			t.Error("the owner does not know")
		}
		completed := func() bool {
			v, ok := w.fleet.View(w.key("backend"), time.Time{})
			return ok && v.Primary().RolloutState == "COMPLETED"
		}
		for range 300 { // looked at every five minutes otherwise
			if completed() {
				break
			}
			time.Sleep(time.Second)
		}
		if !completed() || w.fleet.Heard(q).Heard.IsZero() {
			t.Errorf("it is not seen to have been completed; the queue is %+v", w.fleet.Heard(q))
		}
		time.Sleep(time.Hour)
		if h := w.fleet.Heard(q); !h.Missed.IsZero() {
			t.Errorf("every event came, and the queue is said to be silent: %+v", h)
		}
	})
}
