package main

import (
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	ecsv1alpha1 "heliumai.space/ecsrelease/api/v1alpha1"
	"heliumai.space/ecsrelease/internal/rollout"
)

// What arrives at the API server is one annotation, with a token that was never used before.
func TestAnOrderIsOneAnnotationWithATokenOfItsOwn(t *testing.T) {
	held := tell(t, "orders", "awaiting-approval")
	last := held.Status.Awaiting[0].ID
	const token = `^20\d\d-\d\d-\d\dT\d\d:\d\d:\d\dZ-[a-z2-7]{10}`
	for _, c := range []struct {
		args       []string
		annotation string
		value      string
	}{
		{[]string{"reconcile"}, ecsv1alpha1.AnnotationReconcile, token + "$"},
		{[]string{"retry"}, ecsv1alpha1.AnnotationRetry, token + "$"},
		{[]string{"restart"}, ecsv1alpha1.AnnotationRestart, token + "$"},
		{[]string{"abort"}, ecsv1alpha1.AnnotationAbort, token + "$"},
		{[]string{"release-hold"}, ecsv1alpha1.AnnotationReleaseHold, token + "$"},
		{[]string{"hold"}, ecsv1alpha1.AnnotationHold, token + "/2$"},
		{[]string{"hold", "1"}, ecsv1alpha1.AnnotationHold, token + "/1$"},
		{[]string{"hold", "previous"}, ecsv1alpha1.AnnotationHold, token + "/2$"},
		{[]string{"approve", last}, ecsv1alpha1.AnnotationApprove, "^" + last + "$"},
		{[]string{"approve", "--all"}, ecsv1alpha1.AnnotationApprove, "^" + last + "$"},
	} {
		t.Run(strings.Join(c.args, " "), func(t *testing.T) {
			before := get(t, told, held.Name)
			args := append([]string{c.args[0], held.Name}, c.args[1:]...)
			ask(t, told, append(args, "--timeout", "0")...).ends(t, rollout.ExitReady, "sent")
			after := get(t, told, held.Name)
			value := after.Annotations[c.annotation]
			if !regexp.MustCompile(c.value).MatchString(value) {
				t.Errorf("%s is %q, want %s", c.annotation, value, c.value)
			}
			if was := before.Annotations[c.annotation]; was == value && c.args[0] != "approve" {
				t.Errorf("%s was %q before", c.annotation, was)
			}
			if before.Annotations == nil {
				before.Annotations = map[string]string{}
			}
			before.Annotations[c.annotation] = value
			if diff := cmp.Diff(bare(before), bare(after)); diff != "" {
				t.Errorf("more has changed (-before +after):\n%s", diff)
			}
		})
	}
}

// bare is a release without what the API server keeps about it.
func bare(release *ecsv1alpha1.EcsRelease) *ecsv1alpha1.EcsRelease {
	release = release.DeepCopy()
	release.ManagedFields, release.ResourceVersion = nil, ""
	return release
}

func TestWhatCannotBeOrderedIsNotSent(t *testing.T) {
	for name, c := range map[string]struct {
		state string
		args  []string
		says  string
	}{
		"approve nothing":        {"awaiting-approval", []string{"approve", "R"}, "name what to approve, or say --all"},
		"approve all and one":    {"awaiting-approval", []string{"approve", "R", "x", "--all"}, "name what to approve, or say --all"},
		"approve another":        {"awaiting-approval", []string{"approve", "R", "r9-wave-1-abcd"}, "nothing waits with the id r9-wave-1-abcd"},
		"approve what is ready":  {"ready", []string{"approve", "R", "--all"}, "waits for approval"},
		"hold what failed":       {"held", []string{"hold", "R", "8"}, "only one that was Released or Adopted can be gone back to"},
		"hold what is not there": {"ready", []string{"hold", "R", "77"}, "history has no release 77"},
		"hold a word":            {"ready", []string{"hold", "R", "v2"}, `hold "v2": wanted previous or the number`},
		"hold while one is held": {"held", []string{"hold", "R"}, "release 7 is held already"},
		"hold before anything":   {"no-environment", []string{"hold", "R"}, "no other release before this one was Released or Adopted"},
	} {
		t.Run(name, func(t *testing.T) {
			release := tell(t, "no-"+strings.ReplaceAll(name, " ", "-"), c.state)
			for i := range c.args {
				if c.args[i] == "R" {
					c.args[i] = release.Name
				}
			}
			ask(t, told, c.args...).ends(t, rollout.ExitUsage, c.says)
			if sent := get(t, told, release.Name).Annotations; len(sent) > 0 {
				t.Errorf("it was sent: %v", sent)
			}
		})
	}
}

func TestAnOrderThatNobodyTakesIsATimeOut(t *testing.T) {
	release := tell(t, "untaken", "ready")
	ask(t, told, "retry", release.Name, "--timeout", "300ms").ends(t, rollout.ExitTimeout, "no controller has taken it within 300ms")
}

func TestSuspendAndResumeChangeThatFieldOnly(t *testing.T) {
	release := tell(t, "suspension", "ready")
	ask(t, told, "resume", release.Name).ends(t, rollout.ExitReady, "nothing to do")
	ask(t, told, "suspend", release.Name).ends(t, rollout.ExitReady, "kubectl ecsrelease resume suspension -n told")
	suspended := get(t, told, release.Name)
	want := release.DeepCopy()
	want.Spec.Suspend, want.Generation = true, release.Generation+1
	if diff := cmp.Diff(want.Spec, suspended.Spec); diff != "" || len(suspended.Annotations) > 0 {
		t.Errorf("suspended, it has %v and (-want +got):\n%s", suspended.Annotations, diff)
	}
	ask(t, told, "suspend", release.Name).ends(t, rollout.ExitReady, "nothing to do")
	ask(t, told, "resume", release.Name).ends(t, rollout.ExitReady, "kubectl ecsrelease status suspension -n told -w")
	if diff := cmp.Diff(release.Spec, get(t, told, release.Name).Spec); diff != "" {
		t.Errorf("resumed, it differs (-want +got):\n%s", diff)
	}
}

// The commands against the controller: what it makes of them is what the plugin says.
func TestTheControllerTakesOrders(t *testing.T) {
	release := releaseOf("commands", "helium-backend:v1")
	create(t, release)
	wait := func(code int, says ...string) {
		t.Helper()
		ask(t, staging, "wait", "commands", "--timeout", "60s").ends(t, code, says...)
	}
	order := func(code int, says string, args ...string) {
		t.Helper()
		ask(t, staging, append(args[:1:1], append([]string{"commands"}, args[1:]...)...)...).ends(t, code, says)
	}
	wait(rollout.ExitReady, "Ready: 1/1 services run helium-backend:v1")
	order(rollout.ExitReady, "reconcile was taken: Ready", "reconcile")
	order(rollout.ExitFailed, "retry was refused: nothing failed", "retry")
	order(rollout.ExitFailed, "abort was refused: nothing is in flight", "abort")
	order(rollout.ExitReady, "restart: restarting every service, wave by wave", "restart")
	wait(rollout.ExitReady, "Ready")

	bump(t, release, "helium-backend:v2")
	wait(rollout.ExitReady, "Ready: 1/1 services run helium-backend:v2")
	order(rollout.ExitReady, "kustomize edit set image helium-backend:v1", "hold")
	wait(rollout.ExitPerson, "Held: release 1 (helium-backend:v1) is held", "kubectl ecsrelease release-hold commands -n staging")
	order(rollout.ExitReady, "release-hold: release 1 is not held any more", "release-hold")
	wait(rollout.ExitReady, "Ready: 1/1 services run helium-backend:v2")
	order(rollout.ExitFailed, "release-hold was refused: no release is held", "release-hold")
	ask(t, staging, "history", "commands").ends(t, rollout.ExitReady, "Adopted", "Released", "helium-backend:v2")
	ask(t, staging, "environments").ends(t, rollout.ExitReady, "staging", "commands", "helium-backend:v2")
	handled := get(t, staging, "commands").Status.Handled
	if handled == nil || handled.Hold == "" || handled.ReleaseHold == "" || handled.Restart == "" || handled.Retry == "" || handled.Abort == "" || handled.Reconcile == "" {
		t.Errorf("these were handled: %+v", handled)
	}
}

// Who may give orders need not be allowed to read events, where the controller says what became of them.
func TestAnAnswerThatCannotBeReadIsNotTakenForOne(t *testing.T) {
	create(t, releaseOf("unheard", "helium-backend:v1"))
	ask(t, staging, "wait", "unheard", "--timeout", "60s").ends(t, rollout.ExitFailed, "ClusterNotFound") // it need not run
	for _, object := range []client.Object{
		&rbacv1.Role{
			ObjectMeta: metav1.ObjectMeta{Namespace: staging, Name: "deaf"},
			Rules:      []rbacv1.PolicyRule{{APIGroups: []string{ecsv1alpha1.GroupVersion.Group}, Resources: []string{"ecsreleases"}, Verbs: []string{"get", "list", "watch", "patch"}}},
		},
		&rbacv1.RoleBinding{
			ObjectMeta: metav1.ObjectMeta{Namespace: staging, Name: "deaf"},
			RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "Role", Name: "deaf"},
			Subjects:   []rbacv1.Subject{{Kind: rbacv1.UserKind, APIGroup: rbacv1.GroupName, Name: "deaf"}},
		},
	} {
		if err := shared.client.Create(t.Context(), object); err != nil {
			t.Fatal(err)
		}
	}
	for deadline := time.Now().Add(30 * time.Second); ask(t, staging, "history", "unheard", "--as", "deaf").code != rollout.ExitReady; {
		if time.Now().After(deadline) {
			t.Fatal("the role binding has no effect")
		}
	}
	ask(t, staging, "retry", "unheard", "--as", "deaf").ends(t, rollout.ExitReady, "retry was taken: ", "cannot be told", `cannot list resource "events"`)
}

// What is taken says by its exit that whoever waits next waits for what was ordered.
func TestWhatWasApprovedGoesOn(t *testing.T) {
	release := releaseOf("approvals", "helium-backend:v1")
	release.Spec.Strategy = &ecsv1alpha1.Strategy{Approval: ecsv1alpha1.ApprovalEveryWave}
	create(t, release)
	ask(t, staging, "wait", release.Name, "--timeout", "60s").ends(t, rollout.ExitReady)
	bump(t, release, "helium-backend:v2")
	ask(t, staging, "wait", release.Name, "--timeout", "60s").ends(t, rollout.ExitPerson, "kubectl ecsrelease approve approvals -n staging r2-wave-0-")
	ask(t, staging, "approve", release.Name, "--all").ends(t, rollout.ExitReady, "approve: approved r2-wave-0-")
	ask(t, staging, "wait", release.Name, "--timeout", "60s").ends(t, rollout.ExitReady, "Ready: 1/1 services run helium-backend:v2")
}

func TestTokensDiffer(t *testing.T) {
	given := map[string]metav1.Time{}
	for range 1000 {
		given[token()] = metav1.Now()
	}
	if len(given) != 1000 {
		t.Errorf("of 1000 tokens %d differ", len(given))
	}
}
