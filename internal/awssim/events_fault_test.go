package awssim

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestDeliveriesGoWrongAsScripted(t *testing.T) {
	const started, completed, rested = "SERVICE_DEPLOYMENT_IN_PROGRESS", "SERVICE_DEPLOYMENT_COMPLETED", "SERVICE_STEADY_STATE"
	plain := []string{started, completed, rested}
	for name, c := range map[string]struct {
		fault   string
		want    []string
		matched int
		struck  int
	}{
		"one is lost":                   {`{"lose": true, "event": "COMPLETED"}`, []string{started, rested}, 1, 1},
		"all are lost":                  {`{"lose": true}`, nil, 3, 3},
		"others are not":                {`{"lose": true, "detailType": "ECR *"}`, plain, 0, 0},
		"of another place":              {`{"lose": true, "region": "us-*"}`, plain, 0, 0},
		"of another account":            {`{"lose": true, "account": "444455556666"}`, plain, 0, 0},
		"for another queue":             {`{"lose": true, "queue": "other"}`, plain, 0, 0},
		"for this queue, by this rule":  {`{"lose": true, "queue": "release-*", "rule": "release-hints", "source": "aws.ecs"}`, nil, 3, 3},
		"each comes twice":              {`{"duplicate": 1}`, []string{started, started, completed, completed, rested, rested}, 3, 3},
		"the first is late":             {`{"delay": "1h", "times": 1}`, []string{completed, rested, started}, 3, 1},
		"the second is late":            {`{"delay": "1h", "skip": 1, "times": 1}`, []string{started, rested, completed}, 3, 1},
		"the last is no event at all":   {`{"body": "{\"oops\":", "skip": 2}`, []string{started, completed, `{"oops":`}, 3, 1},
		"their order is left to chance": {`{"jitter": "1h", "seed": 4}`, []string{rested, started, completed}, 3, 3},
	} {
		t.Run(name, func(t *testing.T) {
			inECS(t, func(t *testing.T, w *ecsTestWorld) {
				l := listen(t, w.sim, mumbai, servicePattern)
				var fault DeliveryFault
				if status, text := adminCall(t, w.sim, "POST", "/deliveries/faults", c.fault, &fault); status != 200 {
					t.Fatalf("%d %s", status, text)
				}
				w.create(w.register(v1), 1)
				w.settle()
				time.Sleep(3 * time.Hour)
				var got []string
				for _, e := range l.hear() {
					if name, ok := e.Detail["eventName"].(string); ok {
						got = append(got, name)
					} else {
						got = append(got, e.DetailType)
					}
				}
				if diff := cmp.Diff(c.want, got); diff != "" {
					t.Error(diff)
				}
				var faults []DeliveryFault
				adminCall(t, w.sim, "GET", "/deliveries/faults", "", &faults)
				if len(faults) != 1 || faults[0].ID != fault.ID || faults[0].Matched != c.matched || faults[0].Struck != c.struck {
					t.Errorf("faults %+v", faults)
				}
				var deliveries []EventDelivery
				adminCall(t, w.sim, "GET", "/deliveries", "", &deliveries)
				suffered := map[string]bool{}
				for _, d := range deliveries {
					if len(d.Faults) > 0 {
						suffered[d.EventID] = d.Faults[0] == fault.ID && (d.Outcome == "Lost") == fault.Lose
					}
				}
				if len(suffered) != c.struck {
					t.Errorf("deliveries %+v", deliveries)
				}
			})
		})
	}
}

func TestSeveralFaultsAddUp(t *testing.T) {
	inECS(t, func(t *testing.T, w *ecsTestWorld) {
		l := listen(t, w.sim, mumbai, `{"detail": {"eventName": ["SERVICE_DEPLOYMENT_IN_PROGRESS"]}}`)
		for _, f := range []DeliveryFault{{Duplicate: 1, Delay: time.Minute}, {Duplicate: 2, Delay: time.Minute}, {Body: new("garbage")}} {
			if _, err := w.sim.AddDeliveryFault(f); err != nil {
				t.Fatal(err)
			}
		}
		w.create(w.register(v1), 1)
		time.Sleep(2 * time.Minute)
		if got := l.hear(); len(got) != 0 {
			t.Errorf("heard %+v before their time", got)
		}
		time.Sleep(time.Second)
		if got := l.hear(); len(got) != 4 || got[3].DetailType != "garbage" {
			t.Errorf("heard %+v", got)
		}
		w.sim.ClearDeliveryFaults()
		w.sim.ClearEventDeliveries()
		if len(w.sim.DeliveryFaults()) != 0 || len(w.sim.EventDeliveries()) != 0 {
			t.Error("something is left")
		}
	})
}

func TestDeliveryFaultsThatMakeNoSenseAreRefused(t *testing.T) {
	s := New(Options{})
	for document, want := range map[string]string{
		`{}`:                                   "the fault does nothing",
		`{"drop": true}`:                       `unknown field "drop"`,
		`{"lose": true, "duplicate": 1}`:       "lose goes with nothing else",
		`{"duplicate": -1}`:                    "duplicate is -1",
		`{"duplicate": 1000}`:                  "duplicate is 1000",
		`{"body": ""}`:                         "the body is empty",
		`{"body": "\u0001"}`:                   "characters that no message may have",
		`{"lose": true, "probability": 2}`:     "probability is 2",
		`{"lose": true, "times": -1}`:          "cannot be negative",
		`{"delay": "soon"}`:                    `"soon" is no duration`,
		`{"delay": "-1s"}`:                     "is negative",
		`{"lose": true, "detailType": "x"} {}`: "there is text after the JSON document",
	} {
		if status, text := adminCall(t, s, "POST", "/deliveries/faults", document, nil); status != 400 || !strings.Contains(text, strings.ReplaceAll(want, `"`, `\"`)) {
			t.Errorf("%s: %d %s, want %q", document, status, text, want)
		}
	}
	if status, _ := adminCall(t, s, "DELETE", "/deliveries/faults/absent", "", nil); status != 404 {
		t.Errorf("deleted one that is not there: %d", status)
	}
}

func TestADeliveryFaultIsWrittenAsItIsRead(t *testing.T) {
	const document = `{"id":"","detailType":"ECS *","times":2,"duplicate":1,"body":"x","matched":0,"struck":0,"delay":"30s","jitter":"1m0s"}`
	var f DeliveryFault
	if err := json.Unmarshal([]byte(document), &f); err != nil {
		t.Fatal(err)
	}
	written, err := json.Marshal(f)
	if err != nil || string(written) != document {
		t.Errorf("%s, %v", written, err)
	}
}
