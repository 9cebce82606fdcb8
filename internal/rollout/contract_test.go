package rollout

import (
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// checkContract fails the test for every rule that v breaks.
func checkContract(t testing.TB, v Verdict) {
	t.Helper()
	for _, rule := range brokenRules(v) {
		t.Errorf("the verdict breaks a rule: %s: %+v", rule, v)
	}
	if seen := PhaseOf(told(v)); seen != v.Phase {
		t.Errorf("who sees the conditions takes %s (%s) for %s", v.Phase, v.ReadyCondition.Reason, seen)
	}
}

// brokenRules are the rules that v breaks, of those by which kstatus and Flux read conditions,
// and of the sizes that the API takes.
func brokenRules(v Verdict) []string {
	var broken []string
	for rule, is := range map[string]bool{
		"Reconciling and Stalled both":        v.Reconciling && v.Stalled,
		"Reconciling while Ready":             v.Reconciling && v.Ready == metav1.ConditionTrue,
		"Stalled and Ready is not False":      v.Stalled && v.Ready != metav1.ConditionFalse,
		"Ready Unknown and not Reconciling":   v.Ready == metav1.ConditionUnknown && !v.Reconciling,
		"Ready False and nothing says why":    v.Ready == metav1.ConditionFalse && !v.Reconciling && !v.Stalled,
		"Ready differs from its condition":    v.Ready != v.ReadyCondition.Status,
		"Ready without Deployed":              v.Ready == metav1.ConditionTrue && v.Deployed.Status != metav1.ConditionTrue,
		"Failed without a failure":            (v.Phase == PhaseFailed || v.Phase == PhaseRollingBack) && v.Failure == nil,
		"well with a failure":                 v.Failure != nil && v.ReadyServices == v.Services,
		"a condition without a reason":        v.ReadyCondition.Reason == "" || v.ImageAvailable.Reason == "" || v.Deployed.Reason == "",
		"a message that is too long":          len(v.ReadyCondition.Message) > maxMessage || len(v.Deployed.Message) > maxMessage,
		"more services ready than there are":  v.ReadyServices > v.Services,
		"Ready although not all services are": v.Phase == PhaseReady && v.ReadyServices != v.Services,
		"the conditions tell of another row":  !sameMeaning(PhaseOf(told(v)).Row(), v.PhaseRow),
	} {
		if is {
			broken = append(broken, rule)
		}
	}
	return broken
}

// sameMeaning says that two rows are the same to all who watch a release.
func sameMeaning(a, b PhaseRow) bool {
	a.Phase = b.Phase
	return a == b
}

func TestEveryPhaseKeepsTheContract(t *testing.T) {
	seen := map[Phase]bool{}
	for _, row := range Phases {
		if seen[row.Phase] {
			t.Errorf("phase %s is in the table twice", row.Phase)
		}
		seen[row.Phase] = true
		if row.Reconciling && row.Stalled || row.Reconciling && row.Ready == metav1.ConditionTrue ||
			row.Stalled && row.Ready != metav1.ConditionFalse || row.Ready == metav1.ConditionUnknown && !row.Reconciling {
			t.Errorf("phase %s breaks the rules of kstatus: %+v", row.Phase, row)
		}
		if (row.Exit == ExitReady) != (row.Ready == metav1.ConditionTrue) || (row.Exit == ExitFailed) != row.Stalled ||
			(row.Health == Degraded) != row.Stalled || (row.Health == Healthy) != (row.Ready == metav1.ConditionTrue) {
			t.Errorf("phase %s says different things to different readers: %+v", row.Phase, row)
		}
	}
	if got := Phase("unheard of").Row(); got.Phase != PhaseObserving {
		t.Errorf("a phase that is not in the table means %s, want %s", got.Phase, PhaseObserving)
	}
}
