package controllers_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	rbacv1 "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	ecsv1alpha1 "heliumai.space/ecsrelease/api/v1alpha1"
	"heliumai.space/ecsrelease/internal/awssim"
	"heliumai.space/ecsrelease/internal/awssim/seed"
)

// tenant is a person who may write releases in the world's namespace, and nothing else.
func (w *world) tenant() client.Client {
	w.t.Helper()
	document, err := os.ReadFile(filepath.Join("..", "config", "rbac", "ecsrelease_editor_role.yaml"))
	w.must(err)
	var role rbacv1.ClusterRole
	w.must(yaml.UnmarshalStrict(document, &role))
	role.Name = "release-editor-of-tests"
	if err := w.client.Create(w.t.Context(), &role); err != nil && !apierrors.IsAlreadyExists(err) {
		w.t.Fatal(err)
	}
	name := "tenant-of-" + w.namespace
	w.must(w.client.Create(w.t.Context(), &rbacv1.RoleBinding{
		ObjectMeta: metav1.ObjectMeta{Namespace: w.namespace, Name: "tenant"},
		RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: role.Name},
		Subjects:   []rbacv1.Subject{{APIGroup: rbacv1.GroupName, Kind: rbacv1.UserKind, Name: name}},
	}))
	as := rest.CopyConfig(w.config)
	as.Impersonate = rest.ImpersonationConfig{UserName: name, Groups: []string{"system:authenticated"}}
	tenant, err := client.New(as, client.Options{Scheme: w.scheme})
	w.must(err)
	w.eventually("the tenant to have its permissions", func() error {
		return tenant.List(w.t.Context(), &ecsv1alpha1.EcsReleaseList{}, client.InNamespace(w.namespace))
	})
	return tenant
}

// attempt is one way to reach what isn't one's own.
type attempt struct {
	name string
	// try is what the tenant does; an error is the answer of the API server.
	try func(ctx context.Context, tenant client.Client, w, victim *world) error
	// refused is what the API server says; "": it takes it.
	refused string
	// reason and words are what the release that the tenant made, or has, says then; "": nothing.
	reason string
	words  []string
}

// asking is an attempt to create a release.
func asking(change func(r *ecsv1alpha1.EcsRelease, w, victim *world)) func(context.Context, client.Client, *world, *world) error {
	return func(ctx context.Context, tenant client.Client, w, victim *world) error {
		release := w.release("helium-backend:v2")
		change(release, w, victim)
		return tenant.Create(ctx, release)
	}
}

// byAdmin is an attempt that takes the help, or the mistake, of an admin.
func byAdmin(do func(ctx context.Context, w, victim *world)) func(context.Context, client.Client, *world, *world) error {
	return func(ctx context.Context, tenant client.Client, w, victim *world) error {
		do(ctx, w, victim)
		return tenant.Create(ctx, w.release("helium-backend:v2"))
	}
}

func registryOf(w *world) string { return w.account + ".dkr.ecr." + home + ".amazonaws.com" }

// attempts are the ways that were thought of. Each ends in a clear reason, and nothing is ever asked
// of the account of the victim.
var attempts = []attempt{
	// Another place.
	{
		name: "another cluster, by its ARN",
		try: asking(func(r *ecsv1alpha1.EcsRelease, _, victim *world) {
			r.Spec.Targets[0].Cluster = "arn:aws:ecs:" + home + ":" + victim.account + ":cluster/" + cluster
		}),
		refused: "a cluster is named by its name, not its ARN",
	},
	{
		name: "another service, by its ARN",
		try: asking(func(r *ecsv1alpha1.EcsRelease, _, victim *world) {
			r.Spec.Services[0].Name = "arn:aws:ecs:" + home + ":" + victim.account + ":service/" + cluster + "/backend"
		}),
		refused: "a service is named by its name, not its ARN",
	},
	{
		name:    "another region, with a way out of it",
		try:     asking(func(r *ecsv1alpha1.EcsRelease, _, _ *world) { r.Spec.Targets[0].Region = "ap-south-1.evil.example/" }),
		refused: "region must be the code of an AWS region",
	},
	{
		name: "another cluster, by its name", try: asking(func(r *ecsv1alpha1.EcsRelease, _, _ *world) { r.Spec.Targets[0].Cluster = "victims-cluster" }),
		reason: ecsv1alpha1.ReasonNotPermitted, words: []string{"victims-cluster", "no destination"},
	},
	{
		name: "a cluster whose name only begins like ours", try: asking(func(r *ecsv1alpha1.EcsRelease, _, _ *world) { r.Spec.Targets[0].Cluster = "xhelium-mumbai-cluster" }),
		reason: ecsv1alpha1.ReasonNotPermitted, words: []string{"xhelium-mumbai-cluster"},
	},
	{
		name: "a second target beside one that is allowed",
		try: asking(func(r *ecsv1alpha1.EcsRelease, _, _ *world) {
			r.Spec.Targets = append(r.Spec.Targets, ecsv1alpha1.Target{Name: "theirs", Region: abroad, Cluster: "victims-cluster"})
		}),
		reason: ecsv1alpha1.ReasonNotPermitted, words: []string{"theirs"},
	},
	{
		name: "a release with another namespace in its name",
		try: asking(func(r *ecsv1alpha1.EcsRelease, _, victim *world) {
			r.Name = "../" + victim.namespace + "/helium-backend"
		}),
		refused: "Invalid value",
	},
	{
		name:    "a release in another namespace",
		try:     asking(func(r *ecsv1alpha1.EcsRelease, _, victim *world) { r.Namespace = victim.namespace }),
		refused: "is forbidden",
	},
	{
		name: "a namespace that no environment names",
		try: byAdmin(func(_ context.Context, w, _ *world) {
			w.govern(func(spec *ecsv1alpha1.EcsEnvironmentSpec) { spec.Namespaces = nil })
		}),
		reason: ecsv1alpha1.ReasonNoEnvironment, words: []string{"spec.namespaces"},
	},
	{
		name: "the label by which another environment takes namespaces",
		try: byAdmin(func(_ context.Context, w, victim *world) {
			victim.govern(func(spec *ecsv1alpha1.EcsEnvironmentSpec) {
				spec.Namespaces.MatchLabels = map[string]string{"team": victim.namespace}
			})
			w.label("team", victim.namespace)
		}),
		reason: ecsv1alpha1.ReasonAmbiguousEnvironment, words: []string{"in 2 EcsEnvironments"},
	},

	// Another image.
	{
		name: "the repository of another account, by its URL",
		try: asking(func(r *ecsv1alpha1.EcsRelease, _, victim *world) {
			r.Spec.Image = registryOf(victim) + "/helium-backend:v2"
		}),
		reason: ecsv1alpha1.ReasonNotPermitted, words: []string{"repositories of account"},
	},
	{
		name: "the repository of another account, at its FIPS endpoint",
		try: asking(func(r *ecsv1alpha1.EcsRelease, _, victim *world) {
			r.Spec.Image = victim.account + ".dkr.ecr-fips." + home + ".amazonaws.com/helium-backend:v2"
		}),
		reason: ecsv1alpha1.ReasonNotPermitted, words: []string{"repositories of account"},
	},
	{
		name: "an image of the internet",
		try: asking(func(r *ecsv1alpha1.EcsRelease, _, _ *world) {
			r.Spec.Image = "docker.io/library/nginx@sha256:" + strings.Repeat("a", 64)
		}),
		reason: ecsv1alpha1.ReasonNotPermitted, words: []string{"docker.io/library/nginx"},
	},
	{
		name: "a host that looks like a repository that is allowed",
		try: asking(func(r *ecsv1alpha1.EcsRelease, w, _ *world) {
			w.govern(func(spec *ecsv1alpha1.EcsEnvironmentSpec) {
				spec.Images = &ecsv1alpha1.ImagePolicy{Repositories: []string{"helium-*"}}
			})
			r.Spec.Image = "helium-backend.evil.example/helium-backend:v2"
		}),
		reason: ecsv1alpha1.ReasonNotPermitted, words: []string{"helium-backend.evil.example"},
	},
	{
		name: "another image among several",
		try: asking(func(r *ecsv1alpha1.EcsRelease, _, victim *world) {
			r.Spec.Image = ""
			r.Spec.Containers = []ecsv1alpha1.ContainerImage{{Name: "backend", Image: "helium-backend:v2"}, {Name: "proxy", Image: registryOf(victim) + "/proxy:v1"}}
		}),
		reason: ecsv1alpha1.ReasonNotPermitted, words: []string{"proxy:v1"},
	},
	{
		name:   "an image of another branch",
		try:    byAdmin(func(_ context.Context, w, _ *world) { w.govern(ofBranch("migrated-demo2")) }),
		reason: ecsv1alpha1.ReasonNotPermitted, words: []string{"git.branch"},
	},

	// Another identity.
	{
		name: "an environment of one's own",
		try: func(ctx context.Context, tenant client.Client, w, victim *world) error {
			own := victim.environment()
			own.Name, own.Spec.Namespaces.Names = "of-"+w.namespace, []string{w.namespace}
			return tenant.Create(ctx, own)
		},
		refused: "is forbidden",
	},
	{
		name: "the role of another, which an admin was talked into",
		try: byAdmin(func(_ context.Context, w, victim *world) {
			w.govern(func(spec *ecsv1alpha1.EcsEnvironmentSpec) {
				spec.AWS.RoleARN = "arn:aws:iam::" + victim.account + ":role/" + victim.role
			})
		}),
		reason: ecsv1alpha1.ReasonAccessDenied, words: []string{"sts:AssumeRole"},
	},
	{
		name: "another account with one's own role",
		try: byAdmin(func(_ context.Context, w, victim *world) {
			w.govern(func(spec *ecsv1alpha1.EcsEnvironmentSpec) { spec.AWS.AccountID = victim.account })
		}),
		reason: ecsv1alpha1.ReasonAccountMismatch, words: []string{"wanted"},
	},
	{
		name: "an environment whose name breaks the name of sessions",
		try: byAdmin(func(ctx context.Context, w, _ *world) {
			hostile := w.environment()
			hostile.Name = w.namespace + "." + strings.Repeat("x", 200)
			w.must(w.client.Delete(ctx, w.environment()))
			w.must(w.client.Create(ctx, hostile))
			w.t.Cleanup(func() { _ = w.client.Delete(context.Background(), hostile) })
			w.must(client.IgnoreAlreadyExists(w.client.Create(ctx, w.release("helium-backend:v2", named("before")))))
			w.ready(key{Namespace: w.namespace, Name: "before"}) // it works, under a name that AWS takes
		}),
		reason: ecsv1alpha1.ReasonServiceConflict, words: []string{"before"},
	},
	{
		name: "a task definition with another role",
		try: byAdmin(func(ctx context.Context, w, _ *world) {
			w.restricted.add(w.account)
			w.serve(seed.Service{Name: "privileged", Desired: 1, TaskRole: "arn:aws:iam::" + w.account + ":role/admin"})
			w.must(w.client.Create(ctx, w.release("helium-backend:v2", named("privileged"), running("privileged"))))
			w.stalled(key{Namespace: w.namespace, Name: "privileged"}, ecsv1alpha1.ReasonAccessDenied, "iam:PassRole", "role/admin")
		}),
	},

	// What is written down.
	{
		name: "a status of one's own",
		try: func(ctx context.Context, tenant client.Client, w, _ *world) error {
			release := w.release("helium-backend:v1")
			if err := tenant.Create(ctx, release); err != nil {
				return err
			}
			release.Status.ObservedGeneration = 1
			return tenant.Status().Update(ctx, release)
		},
		refused: "is forbidden",
	},
	{
		name: "a release that is held, with images of another account in its history",
		try: func(ctx context.Context, tenant client.Client, w, victim *world) error {
			release := w.release("helium-backend:v1")
			w.must(tenant.Create(ctx, release))
			w.ready(client.ObjectKeyFromObject(release))
			// Even if somebody forges it.
			forged := w.get(client.ObjectKeyFromObject(release))
			before := forged.DeepCopy()
			forged.Status.History = append([]ecsv1alpha1.HistoryEntry{forged.Status.History[0]}, ecsv1alpha1.HistoryEntry{
				Number: 99, Outcome: ecsv1alpha1.OutcomeReleased, Started: metav1.Now(),
				Images: []ecsv1alpha1.ResolvedImage{{Image: registryOf(victim) + "/helium-backend:v2", Digest: "sha256:" + strings.Repeat("b", 64)}},
			})
			w.must(w.client.Status().Patch(ctx, forged, client.MergeFrom(before)))
			held := w.get(client.ObjectKeyFromObject(release))
			held.Annotations = map[string]string{ecsv1alpha1.AnnotationHold: "now/99"}
			return tenant.Update(ctx, held)
		},
		reason: ecsv1alpha1.ReasonNotPermitted, words: []string{"helium-backend:v2", "repositories of account"},
	},
	{
		name: "a proof of one's own",
		try: func(ctx context.Context, tenant client.Client, w, _ *world) error {
			environment := w.governed()
			environment.Status.Proven = []ecsv1alpha1.ProvenDigest{{Digest: "sha256:" + strings.Repeat("c", 64), Service: "backend", Seconds: 1 << 30}}
			return tenant.Status().Update(ctx, environment)
		},
		refused: "is forbidden",
	},
	{
		name: "an image that only claims to have been promoted",
		try: byAdmin(func(_ context.Context, w, victim *world) {
			w.govern(func(spec *ecsv1alpha1.EcsEnvironmentSpec) {
				spec.Promotion = &ecsv1alpha1.Promotion{From: victim.namespace, SoakSeconds: 60}
			})
		}),
		reason: ecsv1alpha1.ReasonAwaitingPromotion, words: []string{"it has not"},
	},

	// Another network.
	{
		name:    "a check that carries a password",
		try:     asking(asksURL("https://user:password@api.helium.example/")),
		refused: "without user information",
	},
	{
		name:    "a check of a file",
		try:     asking(asksURL("file:///var/run/secrets/kubernetes.io/serviceaccount/token")),
		refused: "url must be http:// or https://",
	},
	{
		name: "a check of the metadata of the machine", try: asking(asksURL("http://169.254.169.254/latest/meta-data/iam/security-credentials/")),
		reason: ecsv1alpha1.ReasonVerification, words: []string{"169.254.169.254"},
	},
	{
		name: "a check of the manager's own pod", try: asking(asksURL("http://127.0.0.1:8081/healthz")),
		reason: ecsv1alpha1.ReasonVerification, words: []string{"127.0.0.1"},
	},
	{
		name: "a check of the cluster's API server", try: asking(asksURL("https://10.96.0.1/api")),
		reason: ecsv1alpha1.ReasonVerification, words: []string{"10.96.0.1"},
	},
}

// asksURL has the release ask a URL after its wave.
func asksURL(url string) func(*ecsv1alpha1.EcsRelease, *world, *world) {
	return func(r *ecsv1alpha1.EcsRelease, _, _ *world) {
		r.Spec.Verification = []ecsv1alpha1.Verification{{HTTP: &ecsv1alpha1.HTTPCheck{URL: url, Via: ecsv1alpha1.ViaPublic, WithinSeconds: aws.Int32(10)}}}
		r.Spec.Strategy = &ecsv1alpha1.Strategy{OnFailure: ecsv1alpha1.FailureHold}
	}
}

func TestATenantReachesNothingThatIsNotTheirs(t *testing.T) {
	if len(attempts) < 25 {
		t.Fatalf("%d ways are tried, wanted 25", len(attempts))
	}
	for _, a := range attempts {
		t.Run(a.name, func(t *testing.T) {
			w := newWorld(t)
			victim := openWorld(t)
			for _, each := range []*world{w, victim} {
				each.push("v1")
				each.push("v2")
				each.serve(desired("backend"))
			}
			err := a.try(t.Context(), w.tenant(), w, victim)
			switch {
			case a.refused == "" && err != nil:
				t.Fatalf("the API server refused it: %v", err)
			case a.refused != "" && (err == nil || !strings.Contains(err.Error(), a.refused)):
				t.Errorf("the API server says %v, wanted it to say %q", err, a.refused)
			}
			if a.reason != "" {
				release := key{Namespace: w.namespace, Name: "helium-backend"}
				w.await(release, a.reason, func(r *ecsv1alpha1.EcsRelease) error {
					ready := condition(r, ecsv1alpha1.ConditionReady)
					if ready.Reason != a.reason {
						return fmt.Errorf("Ready is %s (%s: %s)", ready.Status, ready.Reason, ready.Message)
					}
					return lacks(ready.Message, a.words)
				})
			}
			for _, call := range victim.reached() {
				t.Errorf("%s asked %s %s of the victim's account: %s", call.Principal, call.Service, call.Operation, call.Request)
			}
		})
	}
}

// reached are the calls of the controller that somebody in the world's account answered to.
func (w *world) reached() []awssim.JournalEntry {
	var reached []awssim.JournalEntry
	for _, call := range w.sim.Journal(awssim.JournalFilter{Account: w.account}) {
		if !strings.HasSuffix(call.Principal, ":root") {
			reached = append(reached, call)
		}
	}
	return reached
}
