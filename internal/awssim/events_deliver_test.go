package awssim

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
	ecrtypes "github.com/aws/aws-sdk-go-v2/service/ecr/types"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	sqstypes "github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"heliumai.space/ecsrelease/internal/awssim/seed"
)

// listener is a queue that a rule sends events to.
type listener struct {
	*testing.T
	client *sqs.Client
	url    *string
}

// letEventsIn is a queue's policy that admits what the rule has for it.
func letEventsIn(queueARN, ruleARN string) string {
	return string(statements(`{"Effect":"Allow","Principal":{"Service":"events.amazonaws.com"},"Action":"sqs:SendMessage","Resource":"` + queueARN +
		`","Condition":{"ArnEquals":{"aws:SourceArn":"` + ruleARN + `"},"StringEquals":{"aws:SourceAccount":"111122223333"}}}`))
}

// listen furnishes a region of our account with a queue and a rule that sends it what the
// pattern selects.
func listen(t *testing.T, s *Simulator, region, pattern string) *listener {
	t.Helper()
	config := sdkConfig(t, s, region, ownAccount, rootSecret, "")
	l := &listener{T: t, client: sqs.NewFromConfig(config)}
	made := must(seed.Listener{Name: hintsName, Pattern: pattern}.Create(t.Context(), l.client, eventbridge.NewFromConfig(config)))(t)
	l.url = &made.QueueURL
	return l
}

// servicePattern selects what is told about services, but not their tasks.
const servicePattern = `{"source": ["aws.ecs"], "detail-type": ["ECS Deployment State Change", "ECS Service Action"]}`

type heardEvent struct {
	ID         string         `json:"id"`
	DetailType string         `json:"detail-type"`
	Time       string         `json:"time"`
	Resources  []string       `json:"resources"`
	Detail     map[string]any `json:"detail"`
}

// hear takes all messages that are there, and deletes them.
func (l *listener) hear() []heardEvent {
	l.Helper()
	var events []heardEvent
	for {
		messages := receiveAll(l.T, l.client, l.url, 0)
		if len(messages) == 0 {
			return events
		}
		var entries []sqstypes.DeleteMessageBatchRequestEntry
		for _, m := range messages {
			var e heardEvent
			if err := json.Unmarshal([]byte(*m.Body), &e); err != nil {
				e.DetailType = *m.Body
			}
			events = append(events, e)
			entries = append(entries, sqstypes.DeleteMessageBatchRequestEntry{Id: m.MessageId, ReceiptHandle: m.ReceiptHandle})
		}
		must(l.client.DeleteMessageBatch(l.Context(), &sqs.DeleteMessageBatchInput{QueueUrl: l.url, Entries: entries}))(l.T)
	}
}

// namesOf are the names of events, with the reasons that they have.
func namesOf(events []heardEvent) string {
	var lines []string
	for _, e := range events {
		line := fmt.Sprint(e.Detail["eventName"])
		if reason, found := e.Detail["reason"]; found {
			line += ": " + fmt.Sprint(reason)
		}
		lines = append(lines, line)
	}
	return strings.Join(lines, "\n")
}

func TestAnEventReachesWhoWaitsForItASecondLater(t *testing.T) {
	inECS(t, func(t *testing.T, w *ecsTestWorld) {
		l := listen(t, w.sim, mumbai, `{"source": ["aws.ecs"], "detail-type": ["ECS Deployment State Change"], "resources": [{"suffix": "/web"}]}`)
		began := time.Now()
		received := make(chan []sqstypes.Message)
		go func() { received <- receiveAll(t, l.client, l.url, 20) }()
		synctest.Wait()
		s := w.create(w.register(v1), 1)
		got := <-received
		if len(got) != 1 || time.Since(began) != time.Second {
			t.Fatalf("%d messages after %v", len(got), time.Since(began))
		}
		var event heardEvent
		if err := json.Unmarshal([]byte(*got[0].Body), &event); err != nil {
			t.Fatal(err)
		}
		id := *s.Deployments[0].Id
		if event.Resources[0] != *s.ServiceArn || event.Detail["deploymentId"] != id || event.Detail["reason"] != "ECS deployment "+id+" in progress." ||
			event.Time != began.UTC().Format(time.RFC3339) {
			t.Errorf("%+v", event)
		}
	})
}

func TestARolloutAndItsRollbackAreTold(t *testing.T) {
	inECS(t, func(t *testing.T, w *ecsTestWorld) {
		l := listen(t, w.sim, mumbai, servicePattern)
		w.create(w.register(v1), 2, breaker(true))
		first := *w.settle().Deployments[0].Id
		time.Sleep(time.Minute)
		want := "SERVICE_DEPLOYMENT_IN_PROGRESS: ECS deployment " + first + " in progress.\n" +
			"SERVICE_DEPLOYMENT_COMPLETED: ECS deployment " + first + " completed.\n" +
			"SERVICE_STEADY_STATE"
		if got := namesOf(l.hear()); got != want {
			t.Errorf("of the first deployment\n%s\nwant\n%s", got, want)
		}

		w.sim.SetImageBehavior(ImageBehavior{Image: "*:v2", Kind: ImageCrash, ExitCode: 3})
		second := *w.update(w.register(v2)).Deployments[0].Id
		w.watch()
		time.Sleep(time.Minute)
		want = "SERVICE_DEPLOYMENT_IN_PROGRESS: ECS deployment " + second + " in progress.\n" +
			"SERVICE_DEPLOYMENT_FAILED: ECS deployment circuit breaker: tasks failed to start.\n" +
			"SERVICE_DEPLOYMENT_IN_PROGRESS: ECS deployment circuit breaker: rolling back to deploymentId " + first + ".\n" +
			"SERVICE_DEPLOYMENT_COMPLETED: ECS deployment " + first + " completed.\n" +
			"SERVICE_STEADY_STATE"
		if got := namesOf(l.hear()); got != want {
			t.Errorf("of the rollback\n%s\nwant\n%s", got, want)
		}
	})
}

func TestTheStatesOfATaskAreTold(t *testing.T) {
	inECS(t, func(t *testing.T, w *ecsTestWorld) {
		l := listen(t, w.sim, mumbai, `{"detail-type": ["ECS Task State Change"], "detail": {"group": ["service:web"]}}`)
		w.sim.SetImageBehavior(ImageBehavior{Kind: ImageCrash, ExitCode: 3, AfterSeconds: 20})
		w.create(w.register(v1), 1)
		time.Sleep(2 * time.Minute)
		var last heardEvent
		var states []string
		versions := 0.0
		for _, e := range l.hear() {
			if last.Resources != nil && e.Resources[0] != last.Resources[0] {
				continue // of the task that comes in its place
			}
			version := e.Detail["version"].(float64)
			if version <= versions {
				t.Errorf("version %v after %v", version, versions)
			}
			last, versions = e, version
			states = append(states, fmt.Sprint(e.Detail["lastStatus"], "/", e.Detail["desiredStatus"]))
		}
		if got := strings.Join(slices.Compact(states), " "); got != "PROVISIONING/RUNNING PENDING/RUNNING RUNNING/RUNNING RUNNING/STOPPED DEPROVISIONING/STOPPED STOPPED/STOPPED" {
			t.Errorf("told %s", got)
		}
		container := last.Detail["containers"].([]any)[0].(map[string]any)
		if last.Detail["stopCode"] != "EssentialContainerExited" || container["exitCode"] != 3.0 || last.Detail["startedBy"] != *w.service().Deployments[0].Id {
			t.Errorf("at last %+v", last.Detail)
		}
	})
}

func TestAServiceThatCannotStartTasksIsTold(t *testing.T) {
	cases := map[string]struct {
		behavior ImageBehavior
		want     string
	}{
		"no place":          {ImageBehavior{Kind: ImagePlacementFail}, "SERVICE_TASK_PLACEMENT_FAILURE: RESOURCE:FARGATE"},
		"no image":          {ImageBehavior{Kind: ImagePullFail}, "SERVICE_TASK_START_IMPAIRED"},
		"no end of the try": {ImageBehavior{Kind: ImageCrash}, ""},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			inECS(t, func(t *testing.T, w *ecsTestWorld) {
				l := listen(t, w.sim, mumbai, `{"detail-type": ["ECS Service Action"], "detail": {"eventName": [{"wildcard": "SERVICE_TASK_*"}]}}`)
				w.sim.SetImageBehavior(c.behavior)
				w.create(w.register(v1), 1)
				time.Sleep(5 * time.Minute)
				got, _, _ := strings.Cut(namesOf(l.hear()), "\n")
				if got != c.want {
					t.Errorf("told %q, want %q", got, c.want)
				}
			})
		})
	}
}

func TestAPauseIsTold(t *testing.T) {
	for name, c := range map[string]struct {
		action types.DeploymentLifecycleHookAction // of the user; none lets it time out
		want   string
	}{
		"continued":   {types.DeploymentLifecycleHookActionContinue, "HOOK_AWAITING_ACTION\nHOOK_SUCCEEDED"},
		"rolled back": {types.DeploymentLifecycleHookActionRollback, "HOOK_AWAITING_ACTION\nHOOK_FAILED"},
		"timed out":   {"", "HOOK_AWAITING_ACTION\nHOOK_TIMED_OUT"},
	} {
		t.Run(name, func(t *testing.T) {
			inECS(t, func(t *testing.T, w *ecsTestWorld) {
				l := listen(t, w.sim, mumbai, `{"detail-type": ["ECS Hook State Change"]}`)
				b := w.balance(seed.Balancer{Name: "web", Pair: true})
				w.blue(b, 1, rollout(types.DeploymentStrategyBlueGreen, pauseAt(10, types.DeploymentLifecycleHookActionRollback, types.DeploymentLifecycleHookStagePostScaleUp)))
				w.update(w.register(v2))
				hook := w.awaiting()
				if c.action != "" {
					if err := w.goOn(hook.HookId, c.action); err != nil {
						t.Fatal(err)
					}
				}
				time.Sleep(15 * time.Minute)
				var told []heardEvent
				for _, e := range l.hear() {
					if e.Detail["hookId"] == *hook.HookId {
						told = append(told, e)
					}
				}
				if namesOf(told) != c.want {
					t.Fatalf("told\n%s\nwant\n%s", namesOf(told), c.want)
				}
				if e := told[0]; e.Resources[0] != *w.latest().ServiceDeploymentArn || e.Detail["serviceArn"] != *w.service().ServiceArn ||
					e.Detail["lifecycleStage"] != "POST_SCALE_UP" || e.Detail["expiresAt"] != hook.ExpiresAt.UTC().Format(time.RFC3339) {
					t.Errorf("%+v", e)
				}
			})
		})
	}
}

func TestImagesAreToldWhereTheyArrive(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := New(Options{})
		source := ecrClientOf(t, s, ownAccount, mumbai)
		createTestRepository(t, source, backendName)
		replicateTo(t, source, "", singapore, ownAccount)
		here, there := listen(t, s, mumbai, `{"source": ["aws.ecr"]}`), listen(t, s, singapore, `{"source": ["aws.ecr"]}`)
		digest := pushTestImage(t, source, backendName, firstTag, seed.Image{})
		must(source.BatchDeleteImage(t.Context(), &ecr.BatchDeleteImageInput{
			RepositoryName: aws.String(backendName), ImageIds: []ecrtypes.ImageIdentifier{byTag(firstTag)},
		}))(t)
		time.Sleep(time.Minute)
		told := func(events []heardEvent) string {
			var lines []string
			for _, e := range events {
				lines = append(lines, fmt.Sprint(e.DetailType, " ", e.Detail["action-type"], " ", e.Detail["repository-name"], ":", e.Detail["image-tag"], " ", e.Detail["image-digest"] == digest))
			}
			return strings.Join(lines, ", ")
		}
		if got, want := told(here.hear()), "ECR Image Action PUSH helium-backend:v1 true, ECR Image Action DELETE helium-backend:v1 true"; got != want {
			t.Errorf("at the source\n%s\nwant\n%s", got, want)
		}
		if got, want := told(there.hear()), "ECR Image Action PUSH helium-backend:v1 true, ECR Replication Action REPLICATE helium-backend:v1 true"; got != want {
			t.Errorf("at the destination\n%s\nwant\n%s", got, want)
		}
	})
}

func TestAQueueGetsOnlyWhatItsPolicyLetsIn(t *testing.T) {
	const elsewhere = "arn:aws:events:ap-south-1:111122223333:rule/other"
	for name, c := range map[string]struct {
		policy string
		want   string // the reason of what is dropped
	}{
		"this rule":      {letEventsIn(hintsARN, hintsRuleARN), ""},
		"rules like it":  {strings.Replace(letEventsIn(hintsARN, "arn:aws:events:*:111122223333:rule/release-*"), "ArnEquals", "ArnLike", 1), ""},
		"another rule":   {letEventsIn(hintsARN, elsewhere), "the queue's policy does not allow"},
		"another owner":  {strings.Replace(letEventsIn(hintsARN, hintsRuleARN), `"aws:SourceAccount":"111122223333"`, `"aws:SourceAccount":"444455556666"`, 1), "the queue's policy does not allow"},
		"another queue":  {letEventsIn(hintsARN+"-2", hintsRuleARN), "the queue's policy does not allow"},
		"nobody":         {"", "the queue's policy does not allow"},
		"the account":    {string(statements(`{"Effect":"Allow","Principal":{"AWS":"111122223333"},"Action":"sqs:*","Resource":"*"}`)), "the queue's policy does not allow"},
		"no such queue":  {"-", "the queue does not exist"},
		"a smaller size": {"<", "longer than the queue's messages may be"},
	} {
		t.Run(name, func(t *testing.T) {
			inECS(t, func(t *testing.T, w *ecsTestWorld) {
				l := listen(t, w.sim, mumbai, `{"detail": {"eventName": ["SERVICE_DEPLOYMENT_IN_PROGRESS"]}}`)
				switch c.policy {
				case "-":
					must(l.client.DeleteQueue(t.Context(), &sqs.DeleteQueueInput{QueueUrl: l.url}))(t)
				case "<":
					w.sim.findQueue(queueAddress{ownAccount, hintsName}, mumbai).settings.maximum = 100
				default:
					must(l.client.SetQueueAttributes(t.Context(), &sqs.SetQueueAttributesInput{QueueUrl: l.url, Attributes: map[string]string{"Policy": c.policy}}))(t)
				}
				w.create(w.register(v1), 1)
				time.Sleep(time.Second)
				deliveries := w.sim.EventDeliveries()
				if len(deliveries) != 1 {
					t.Fatalf("deliveries %+v", deliveries)
				}
				d := deliveries[0]
				wantOutcome := "Delivered"
				if c.want != "" {
					wantOutcome = "Dropped"
				}
				if d.Outcome != wantOutcome || !strings.Contains(d.Reason, c.want) || d.Rule != hintsRuleARN || d.Queue != hintsARN || d.Time.Sub(d.Published) != time.Second {
					t.Errorf("%+v", d)
				}
				if c.want == "" && len(l.hear()) != 1 {
					t.Error("nothing arrived")
				}
			})
		})
	}
}

func TestWhatNoRuleWantsIsNotEvenWritten(t *testing.T) {
	inECS(t, func(t *testing.T, w *ecsTestWorld) {
		l := listen(t, w.sim, mumbai, `{"source": ["aws.ecs"], "detail-type": ["ECS Hook State Change"]}`)
		w.sim.accountOf(ownAccount).region(w.sim, mumbai).events.announce(w.sim.world, announcement{
			source: "aws.ecs", detailType: "ECS Service Action", detail: func() any {
				t.Error("somebody asked for the detail")
				return nil
			},
		})
		events := eventbridge.NewFromConfig(rootConfig(t, w.sim))
		must(events.PutRule(t.Context(), &eventbridge.PutRuleInput{Name: aws.String(hintsRule), EventPattern: aws.String(ecsPattern), State: "DISABLED"}))(t)
		w.create(w.register(v1), 1)
		w.settle()
		time.Sleep(time.Minute)
		if got := l.hear(); len(got) != 0 {
			t.Errorf("heard %s", namesOf(got))
		}
	})
}
