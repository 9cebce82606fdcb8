package rollout

import (
	"go/ast"
	"go/parser"
	"go/token"
	"strconv"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	ecsv1alpha1 "heliumai.space/ecsrelease/api/v1alpha1"
)

// told is a release of generation 3 whose status tells of v, as the controller writes it.
func told(v Verdict) *ecsv1alpha1.EcsRelease {
	release := &ecsv1alpha1.EcsRelease{
		ObjectMeta: metav1.ObjectMeta{Generation: 3},
		Status:     ecsv1alpha1.EcsReleaseStatus{ObservedGeneration: 3, Failure: v.Failure},
	}
	condition := func(kind string, status metav1.ConditionStatus) {
		release.Status.Conditions = append(release.Status.Conditions, metav1.Condition{
			Type: kind, Status: status, Reason: v.ReadyCondition.Reason, ObservedGeneration: 3,
		})
	}
	condition(ecsv1alpha1.ConditionReady, v.ReadyCondition.Status)
	if v.Reconciling {
		condition(ecsv1alpha1.ConditionReconciling, metav1.ConditionTrue)
	}
	if v.Stalled {
		condition(ecsv1alpha1.ConditionStalled, metav1.ConditionTrue)
	}
	return release
}

// verdict is one in a phase for a reason.
func verdict(phase Phase, reason string) Verdict {
	row := phase.Row()
	return Verdict{PhaseRow: row, ReadyCondition: Condition{Status: row.Ready, Reason: reason}}
}

// What a release is told to be in for each reason that the controller gives: a reason that is new
// has to be put into a phase here.
func TestEveryReasonTellsOfItsPhase(t *testing.T) {
	phases := map[string][]Phase{
		ecsv1alpha1.ReasonReleased:             {PhaseReady},
		ecsv1alpha1.ReasonScaledToZero:         {PhaseReady},
		ecsv1alpha1.ReasonObserving:            {PhaseObserving},
		ecsv1alpha1.ReasonObservationFailed:    {PhaseObserving},
		ecsv1alpha1.ReasonImageUnknown:         {PhaseObserving, PhaseBlocked},
		ecsv1alpha1.ReasonImageNotFound:        {PhaseWaiting},
		ecsv1alpha1.ReasonAwaitingPromotion:    {PhaseWaiting},
		ecsv1alpha1.ReasonOutsideWindow:        {PhaseWaiting},
		ecsv1alpha1.ReasonProgressing:          {PhaseProgressing},
		ecsv1alpha1.ReasonRollbackInProgress:   {PhaseProgressing},
		ecsv1alpha1.ReasonAwaitingApproval:     {PhaseAwaiting},
		ecsv1alpha1.ReasonAwaitingAction:       {PhaseAwaiting},
		ecsv1alpha1.ReasonVerifying:            {PhaseVerifying},
		ecsv1alpha1.ReasonBaking:               {PhaseBaking},
		ecsv1alpha1.ReasonRollingBack:          {PhaseRollingBack},
		ecsv1alpha1.ReasonHeld:                 {PhaseHeld},
		ecsv1alpha1.ReasonSuspended:            {PhaseSuspended},
		ecsv1alpha1.ReasonNoEnvironment:        {PhaseBlocked},
		ecsv1alpha1.ReasonAmbiguousEnvironment: {PhaseBlocked},
		ecsv1alpha1.ReasonNotPermitted:         {PhaseBlocked},
		ecsv1alpha1.ReasonInvalidEnvironment:   {PhaseBlocked},
		ecsv1alpha1.ReasonIdentityConflict:     {PhaseBlocked},
		ecsv1alpha1.ReasonDuplicateService:     {PhaseBlocked},
		ecsv1alpha1.ReasonServiceConflict:      {PhaseBlocked},
		ecsv1alpha1.ReasonAccessDenied:         {PhaseBlocked, PhaseObserving},
		ecsv1alpha1.ReasonAccountMismatch:      {PhaseBlocked},
		ecsv1alpha1.ReasonClusterNotFound:      {PhaseBlocked},
		ecsv1alpha1.ReasonServiceNotFound:      {PhaseBlocked},
		ecsv1alpha1.ReasonServiceNotActive:     {PhaseBlocked},
		ecsv1alpha1.ReasonServiceUnsupported:   {PhaseBlocked},
		ecsv1alpha1.ReasonCannotProgress:       {PhaseBlocked},
		ecsv1alpha1.ReasonContainerNotFound:    {PhaseBlocked},
		ecsv1alpha1.ReasonContainerAmbiguous:   {PhaseBlocked},
		ecsv1alpha1.ReasonContainerUnused:      {PhaseBlocked},
		ecsv1alpha1.ReasonInvalidImage:         {PhaseBlocked},
		ecsv1alpha1.ReasonRegistryUnsupported:  {PhaseBlocked},
		ecsv1alpha1.ReasonRepositoryNotFound:   {PhaseBlocked},
		ecsv1alpha1.ReasonImageMismatch:        {PhaseBlocked},
		ecsv1alpha1.ReasonWrongArchitecture:    {PhaseBlocked, PhaseFailed},
		ecsv1alpha1.ReasonRegistrationRefused:  {PhaseBlocked},
		ecsv1alpha1.ReasonUpdateRefused:        {PhaseBlocked},
		ecsv1alpha1.ReasonDrifted:              {PhaseBlocked},
		ecsv1alpha1.ReasonImageMissing:         {PhaseFailed},
		ecsv1alpha1.ReasonImagePull:            {PhaseFailed},
		ecsv1alpha1.ReasonContainerExited:      {PhaseFailed},
		ecsv1alpha1.ReasonOutOfMemory:          {PhaseFailed},
		ecsv1alpha1.ReasonHealthCheck:          {PhaseFailed},
		ecsv1alpha1.ReasonPlacement:            {PhaseFailed},
		ecsv1alpha1.ReasonResourceInit:         {PhaseFailed},
		ecsv1alpha1.ReasonCircuitBreaker:       {PhaseFailed},
		ecsv1alpha1.ReasonAlarm:                {PhaseFailed},
		ecsv1alpha1.ReasonDeadline:             {PhaseFailed},
		ecsv1alpha1.ReasonVerification:         {PhaseFailed},
		ecsv1alpha1.ReasonAborted:              {PhaseFailed},
		ecsv1alpha1.ReasonRollbackFailed:       {PhaseFailed},
		// What only services and other conditions have for a reason.
		ecsv1alpha1.ReasonNoTasks:        nil,
		ecsv1alpha1.ReasonWaveNotOpen:    nil,
		ecsv1alpha1.ReasonVerified:       nil,
		ecsv1alpha1.ReasonRestarting:     nil,
		ecsv1alpha1.ReasonImageAvailable: nil,
		ecsv1alpha1.ReasonOutOfSync:      nil,
	}
	reached := map[Phase]bool{}
	for reason, among := range phases {
		for _, phase := range among {
			v := verdict(phase, reason)
			if phase == PhaseFailed {
				v.Failure = &ecsv1alpha1.Failure{Class: ecsv1alpha1.FailureClass(reason)}
			}
			if got := PhaseOf(told(v)); got != phase {
				t.Errorf("a release that is %s (%s) is told to be %s", phase, reason, got)
			}
			reached[phase] = true
		}
	}
	for _, row := range Phases {
		if !reached[row.Phase] {
			t.Errorf("no reason tells of %s", row.Phase)
		}
	}
	for name, reason := range reasonConstants(t) {
		if _, ok := phases[reason]; !ok {
			t.Errorf("%s is in no phase: put it into one in PhaseOf, and here", name)
		}
	}
}

func TestAStatusOfAnotherGenerationTellsNothing(t *testing.T) {
	for _, row := range Phases {
		changed := told(verdict(row.Phase, string(row.Phase)))
		changed.Generation = 4
		if got := PhaseOf(changed); got != PhaseObserving {
			t.Errorf("a release that was %s and has been changed since is told to be %s", row.Phase, got)
		}
		late := told(verdict(row.Phase, string(row.Phase)))
		late.Generation, late.Status.ObservedGeneration = 4, 4
		if got := PhaseOf(late); got != PhaseObserving {
			t.Errorf("a release that was %s, whose conditions are older than its status, is told to be %s", row.Phase, got)
		}
	}
	fresh := &ecsv1alpha1.EcsRelease{ObjectMeta: metav1.ObjectMeta{Generation: 1}, Status: ecsv1alpha1.EcsReleaseStatus{ObservedGeneration: -1}}
	if got := PhaseOf(fresh); got != PhaseObserving {
		t.Errorf("a release that no controller has seen is told to be %s", got)
	}
}

// reasonConstants are the reasons of a release's conditions, by name.
func reasonConstants(t *testing.T) map[string]string {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), "../../api/v1alpha1/conditions.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]string{}
	ast.Inspect(file, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if ok && strings.HasPrefix(spec.Names[0].Name, "Reason") {
			literal, _ := spec.Values[0].(*ast.BasicLit)
			if found[spec.Names[0].Name], err = strconv.Unquote(literal.Value); err != nil {
				t.Fatal(err)
			}
		}
		return true
	})
	if len(found) < 50 {
		t.Fatalf("%d reasons were found, too few to be true", len(found))
	}
	return found
}
