package awssim

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
	"github.com/google/go-cmp/cmp"
)

// health tells the targets of a group with their states and reasons in one line.
func (f *elbFixture) health(t *testing.T, group string, targets ...types.TargetDescription) string {
	t.Helper()
	out := must(f.client.DescribeTargetHealth(t.Context(), &elb.DescribeTargetHealthInput{TargetGroupArn: &group, Targets: targets}))(t)
	var line []string
	for _, d := range out.TargetHealthDescriptions {
		line = append(line, strings.TrimSpace(fmt.Sprintf("%s:%d %s %s", *d.Target.Id, *d.Target.Port, d.TargetHealth.State, d.TargetHealth.Reason)))
		if (d.TargetHealth.Reason == "") != (aws.ToString(d.TargetHealth.Description) == "") {
			t.Errorf("%s has the description %q", d.TargetHealth.Reason, aws.ToString(d.TargetHealth.Description))
		}
	}
	return strings.Join(line, ", ")
}

func TestATargetBecomesHealthyFailsRecoversAndDrains(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := New(Options{})
		f := newELBFixture(t, s)
		began := time.Now()
		var story []string
		look := func() {
			line := fmt.Sprintf("%5s  %s", time.Since(began), f.health(t, f.group))
			if n := len(story); n == 0 || story[n-1][6:] != line[6:] {
				story = append(story, line)
			}
		}
		watch := func(d time.Duration) {
			for end := time.Now().Add(d); time.Now().Before(end); time.Sleep(time.Second) {
				look()
			}
		}
		f.register(t, f.group, "10.0.0.1")
		watch(10 * time.Second)
		order := func(healthy bool) {
			t.Helper()
			if err := s.SetTargetHealth(TargetHealth{TargetGroup: f.group, ID: "10.0.0.1", Healthy: healthy}); err != nil {
				t.Fatal(err)
			}
		}
		order(false)
		watch(60 * time.Second)
		order(true)
		watch(90 * time.Second)
		must(f.client.DeregisterTargets(t.Context(), &elb.DeregisterTargetsInput{TargetGroupArn: &f.group, Targets: []types.TargetDescription{{Id: aws.String("10.0.0.1")}}}))(t)
		watch(6 * time.Minute)
		want := []string{
			"   0s  10.0.0.1:8080 initial Elb.RegistrationInProgress",
			"   3s  10.0.0.1:8080 healthy",
			"  23s  10.0.0.1:8080 unhealthy Target.ResponseCodeMismatch",
			" 1m53s  10.0.0.1:8080 healthy",
			" 2m40s  10.0.0.1:8080 draining Target.DeregistrationInProgress",
			" 7m40s  ",
		}
		for i := range want {
			want[i] = strings.TrimSpace(want[i])
		}
		for i := range story {
			story[i] = strings.TrimSpace(story[i])
		}
		if diff := cmp.Diff(want, story); diff != "" {
			t.Error(diff)
		}
	})
}

func TestANewTargetThatFailsIsInitialUntilTheThreshold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := New(Options{})
		f := newELBFixture(t, s)
		f.register(t, f.group, "10.0.0.1")
		if err := s.SetTargetHealth(TargetHealth{TargetGroup: f.group, ID: "10.0.0.1", Reason: "Target.Timeout"}); err != nil {
			t.Fatal(err)
		}
		for _, step := range []struct {
			at   time.Duration
			want string
		}{
			{4 * time.Second, "10.0.0.1:8080 initial Elb.InitialHealthChecking"},
			{12 * time.Second, "10.0.0.1:8080 initial Elb.InitialHealthChecking"},
			{14 * time.Second, "10.0.0.1:8080 unhealthy Target.Timeout"},
		} {
			time.Sleep(step.at - time.Since(s.regionOf(t).elb.balancers[f.balancer].created))
			if got := f.health(t, f.group); got != step.want {
				t.Errorf("after %s: %s, want %s", step.at, got, step.want)
			}
		}
	})
}

// regionOf is our account's region, for the methods that ECS calls.
func (s *Simulator) regionOf(t *testing.T) *region {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.advance()
	return s.accountOf(ownAccount).region(s, mumbai)
}

func TestTargetsOfAGroupWithoutTrafficAreUnused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := New(Options{})
		f := newELBFixture(t, s)
		idle := f.createGroup(t, "idle")
		f.register(t, idle, "10.0.0.1")
		time.Sleep(time.Hour)
		if got := f.health(t, idle); got != "10.0.0.1:8080 unused Target.NotInUse" {
			t.Error(got)
		}
		rule := f.createRule(t, 1, "path-pattern", "/idle", forwardByWeight(f.group, 1, idle, 0))
		if got := f.health(t, idle); got != "10.0.0.1:8080 initial Elb.RegistrationInProgress" {
			t.Error(got)
		}
		time.Sleep(time.Minute)
		if got := f.health(t, idle); got != "10.0.0.1:8080 healthy" {
			t.Errorf("with weight 0: %s", got)
		}
		must(f.client.DeleteRule(t.Context(), &elb.DeleteRuleInput{RuleArn: &rule}))(t)
		if got := f.health(t, idle); got != "10.0.0.1:8080 unused Target.NotInUse" {
			t.Error(got)
		}
		must(f.client.DeregisterTargets(t.Context(), &elb.DeregisterTargetsInput{TargetGroupArn: &idle, Targets: []types.TargetDescription{{Id: aws.String("10.0.0.1")}}}))(t)
		if got := f.health(t, idle); got != "" {
			t.Errorf("a group without traffic drains: %s", got)
		}
		if got := f.health(t, idle, types.TargetDescription{Id: aws.String("10.0.0.9"), Port: aws.Int32(81)}); got != "10.0.0.9:81 unused Target.NotRegistered" {
			t.Error(got)
		}
	})
}

func TestTargetsOfServicesAreCheckedByWhatTheySay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := New(Options{})
		f := newELBFixture(t, s)
		healthy := false
		r := s.regionOf(t)
		do := func(fn func()) {
			s.mu.Lock()
			defer s.mu.Unlock()
			s.advance()
			fn()
		}
		do(func() {
			if err := r.registerTarget(f.group, "10.0.0.1", 9000, target{Healthy: func() bool { return healthy }}); err != nil {
				t.Error(err)
			}
			if err := r.registerTarget(f.group+"x", "10.0.0.1", 9000, target{}); err == nil || err.code != "TargetGroupNotFound" {
				t.Error(err)
			}
			if !r.targetGroupExists(f.group) || r.targetGroupExists(f.group+"x") {
				t.Error("the wrong groups exist")
			}
		})
		state := func() (line string) {
			do(func() {
				state, reason := r.targetHealth(f.group, "10.0.0.1", 9000)
				line = strings.TrimSpace(state + " " + reason)
			})
			return line
		}
		time.Sleep(time.Minute)
		if got := state(); got != "unhealthy Target.ResponseCodeMismatch" {
			t.Error(got)
		}
		do(func() { healthy = true })
		time.Sleep(time.Minute)
		if got := state(); got != "healthy" {
			t.Error(got)
		}
		do(func() { r.deregisterTarget(f.group, "10.0.0.1", 9000) })
		if got := state(); got != "draining Target.DeregistrationInProgress" {
			t.Error(got)
		}
		do(func() {
			if err := r.registerTarget(f.group, "10.0.0.1", 9000, target{}); err != nil {
				t.Error(err)
			}
		})
		time.Sleep(time.Hour)
		if got := state(); got != "healthy" {
			t.Errorf("a target that came back while it drained is %s", got)
		}
		do(func() { r.deregisterTarget(f.group, "10.0.0.1", 9000) })
		time.Sleep(300 * time.Second)
		if got := state(); got != "unused Target.NotRegistered" {
			t.Error(got)
		}
	})
}

func TestATrafficShiftChangesTheRule(t *testing.T) {
	s := New(Options{})
	f := newELBFixture(t, s)
	green := f.createGroup(t, "green")
	r := s.regionOf(t)
	weigh := func(rule string, weights map[string]int) *apiError {
		s.mu.Lock()
		defer s.mu.Unlock()
		return r.weigh(rule, weights)
	}
	for _, rule := range []string{f.fallback, f.listener} {
		if err := weigh(rule, map[string]int{f.group: 90, green: 10}); err != nil {
			t.Fatal(err)
		}
		shown := must(f.client.DescribeRules(t.Context(), &elb.DescribeRulesInput{ListenerArn: &f.listener}))(t).Rules[0].Actions[0].ForwardConfig.TargetGroups
		got := map[string]int32{}
		for _, g := range shown {
			got[*g.TargetGroupArn] = *g.Weight
		}
		if diff := cmp.Diff(map[string]int32{f.group: 90, green: 10}, got); diff != "" {
			t.Error(diff)
		}
		if err := weigh(rule, map[string]int{f.group: 1}); err != nil {
			t.Fatal(err)
		}
	}
	fixed := f.createRule(t, 1, "path-pattern", "/", types.Action{Type: types.ActionTypeEnumFixedResponse, FixedResponseConfig: &types.FixedResponseActionConfig{StatusCode: aws.String("404")}})
	for name, c := range map[string]struct {
		rule    string
		weights map[string]int
		code    string
	}{
		"no rule":           {f.fallback + "x", map[string]int{green: 1}, "RuleNotFound"},
		"no group":          {f.fallback, map[string]int{green + "x": 1}, "TargetGroupNotFound"},
		"a negative weight": {f.fallback, map[string]int{green: -1}, "ValidationError"},
		"nothing forwards":  {fixed, map[string]int{green: 1}, "ValidationError"},
		"no groups at all":  {f.fallback, nil, "ValidationError"},
	} {
		if err := weigh(c.rule, c.weights); err == nil || err.code != c.code || err.status != http.StatusBadRequest {
			t.Errorf("%s: %v", name, err)
		}
	}
}
