package main

import (
	"fmt"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sync/errgroup"
	"k8s.io/apimachinery/pkg/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/envtest"

	ecsv1alpha1 "heliumai.space/ecsrelease/api/v1alpha1"
)

const (
	// assetsVariable names the directory that holds the control plane's programs.
	assetsVariable = "KUBEBUILDER_ASSETS"
	// longest is how long a world may last: most take seconds, those in which it must be shown
	// that a call was not made half a minute more.
	longest = 3 * time.Minute
	// atOnce is how many worlds there are at a time. They mostly wait; with many more, two CPUs
	// are so busy that managers lose their leases, which tells less about the calls.
	atOnce = 14
)

// suite is what all worlds share.
type suite struct {
	dir       string
	program   string // the manager
	policy    []byte // config/iam/policy.json
	client    client.Client
	apiServer *url.URL
	transport http.RoundTripper // to the API server, as an admin
}

// The manager is killed before and after every external call of a release's run, and has the
// answer to every such call lost, each in a world of its own. Every time the world must come out
// as it does undisturbed, with nothing registered or updated twice.
func TestAManagerKilledOrUnansweredAtAnyCallReleasesAllTheSame(t *testing.T) {
	s := newSuite(t)
	began := time.Now()
	undisturbed, err := newWorld(t.Context(), s, "undisturbed", never, point{})
	if err == nil {
		err = undisturbed.live(t.Context())
	}
	if err != nil {
		t.Fatal(err)
	}
	want, err := undisturbed.outcome(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	checkUndisturbed(t, want)
	calls := undisturbed.border.crossed()
	t.Logf("undisturbed, a run of %s makes %d external calls: %s", time.Since(began).Round(time.Second), len(calls), strings.Join(calls, ", "))

	all := map[moment]*series{before: {}, after: {}, lost: {}}
	var group errgroup.Group
	group.SetLimit(atOnce)
	for i, at := range points(calls) {
		for _, m := range []moment{before, after, lost} {
			group.Go(func() error {
				name := fmt.Sprintf("%s-%03d", strings.ReplaceAll(m.String(), " ", "-"), i+1)
				all[m].add(strike(t, s, name, m, at, want))
				return nil
			})
		}
	}
	_ = group.Wait() // the functions return no errors
	for _, m := range []moment{before, after, lost} {
		t.Logf("%s: %s", m, all[m])
	}
	t.Logf("all %d worlds took %s", 1+len(all)*len(calls), time.Since(began).Round(time.Second))
}

// checkUndisturbed checks the outcome that all others are compared with.
func checkUndisturbed(t *testing.T, got outcome) {
	t.Helper()
	want := map[string]int{
		"RegisterTaskDefinition helium-backend": 1, "RegisterTaskDefinition helium-worker": 1,
		"UpdateService backend": 1, "UpdateService worker": 1,
	}
	if diff := cmp.Diff(want, got.Changes); diff != "" {
		t.Errorf("what AWS carried out, undisturbed (-want +got):\n%s", diff)
	}
	for name, service := range got.Services {
		revision := prefix + name + ":2"
		settled := serviceOutcome{Revision: revision, Desired: 2, Running: 2, Deployments: []string{"PRIMARY " + revision + " COMPLETED"}}
		if diff := cmp.Diff(settled, service); diff != "" {
			t.Errorf("service %s, undisturbed (-want +got):\n%s", name, diff)
		}
	}
	if len(got.Services) != 2 || len(got.Revisions) != 4 {
		t.Errorf("undisturbed there are %d services and the revisions %v, want 2 and 4", len(got.Services), got.Revisions)
	}
}

// result is how one world went.
type result struct {
	at     point
	struck bool // else the run had ended before it came to that call
	took   time.Duration
	ended  int // managers that ended although nobody killed them
}

// strike lets a world live in which the manager is struck once, and compares what comes of it.
func strike(t *testing.T, s *suite, name string, m moment, at point, want outcome) result {
	ctx := t.Context()
	where := fmt.Sprintf("%s %s", m, at)
	w, err := newWorld(ctx, s, name, m, at)
	if err != nil {
		t.Errorf("%s: setting up the world: %v", where, err)
		return result{at: at}
	}
	began := time.Now()
	err = w.live(ctx)
	r := result{at: at, took: time.Since(began), struck: w.border.hasStruck(), ended: w.starts - 1}
	if r.struck && m != lost {
		r.ended--
	}
	if err != nil {
		t.Errorf("%s: %v", where, err)
		return r
	}
	got, err := w.outcome(ctx)
	if err != nil {
		t.Errorf("%s: taking stock: %v", where, err)
		return r
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s: what came of it is not what comes of it undisturbed (-want +got):\n%s\nthe calls: %s",
			where, diff, strings.Join(w.border.crossed(), ", "))
	}
	return r
}

// series is how the worlds went that were struck at the same moment of a call.
type series struct {
	mu            sync.Mutex
	worlds, ended int
	missed        []string
	waited        []string
	slowest       result
}

func (s *series) add(r result) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.worlds++
	s.ended += r.ended
	if !r.struck {
		s.missed = append(s.missed, r.at.String())
	}
	if r.took > settle {
		s.waited = append(s.waited, r.at.String())
	}
	if r.took > s.slowest.took {
		s.slowest = r
	}
}

func (s *series) String() string {
	list := func(points []string) string {
		slices.Sort(points)
		return fmt.Sprintf("%d (%s)", len(points), strings.Join(points, ", "))
	}
	return fmt.Sprintf("%d points; runs that ended before they came to theirs: %s; runs that waited %s to be sure that a call was not made: %s; "+
		"the slowest took %s (%s); managers that ended unkilled: %d",
		s.worlds, list(s.missed), settle, list(s.waited), s.slowest.took.Round(100*time.Millisecond), s.slowest.at, s.ended)
}

// newSuite starts a control plane and builds the manager.
func newSuite(t *testing.T) *suite {
	t.Helper()
	assets := os.Getenv(assetsVariable)
	for _, program := range []string{"etcd", "kube-apiserver"} {
		if _, err := os.Stat(filepath.Join(assets, program)); assets == "" || err != nil {
			t.Fatalf("%s is %q, which must be a directory with etcd and kube-apiserver in it: run `make test`, which builds them", assetsVariable, assets)
		}
	}
	s := &suite{dir: t.TempDir()}
	var err error
	if s.policy, err = os.ReadFile(filepath.Join("..", "..", "config", "iam", "policy.json")); err != nil {
		t.Fatal(err)
	}
	s.program = filepath.Join(s.dir, "manager")
	if output, err := exec.CommandContext(t.Context(), "go", "build", "-o", s.program, ".").CombinedOutput(); err != nil {
		t.Fatalf("building the manager: %v\n%s", err, output)
	}
	plane := &envtest.Environment{
		CRDDirectoryPaths:     []string{filepath.Join("..", "..", "config", "crd", "bases")},
		ErrorIfCRDPathMissing: true,
		BinaryAssetsDirectory: assets,
	}
	config, err := plane.Start()
	if err != nil {
		t.Fatalf("starting the control plane in %s: %v", assets, err)
	}
	t.Cleanup(func() {
		if err := plane.Stop(); err != nil {
			t.Errorf("stopping the control plane: %v", err)
		}
	})
	s.connect(t, config)
	return s
}

// connect makes the suite's ways to the API server.
func (s *suite) connect(t *testing.T, config *rest.Config) {
	t.Helper()
	config.QPS = -1
	scheme := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{clientgoscheme.AddToScheme, ecsv1alpha1.AddToScheme} {
		if err := add(scheme); err != nil {
			t.Fatal(err)
		}
	}
	var err error
	if s.client, err = client.New(config, client.Options{Scheme: scheme}); err != nil {
		t.Fatal(err)
	}
	if s.transport, err = rest.TransportFor(config); err != nil {
		t.Fatal(err)
	}
	if s.apiServer, _, err = rest.DefaultServerUrlFor(config); err != nil {
		t.Fatal(err)
	}
}
