package simulation

import (
	"fmt"
	"os"
	"runtime/debug"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/go-logr/logr"
	utilruntime "k8s.io/apimachinery/pkg/util/runtime"
	"k8s.io/klog/v2"
	ctrl "sigs.k8s.io/controller-runtime"
)

const (
	// fixedSeeds is how many seeds `make test` runs.
	fixedSeeds = 8
	// enoughSeeds is how many come across everything.
	enoughSeeds = 2000
)

func TestMain(m *testing.M) {
	ctrl.SetLogger(logr.Discard())
	klog.SetLogger(logr.Discard())
	// The default handlers remember the time of the last error, and sleep: of all bubbles together.
	utilruntime.ErrorHandlers = nil //nolint:reassign // the package has no other way
	debug.SetGCPercent(400)         // worlds are small, and there are only few at a time
	os.Exit(m.Run())
}

var setup = sync.OnceValues(func() (*Setup, error) { return NewSetup("../../config/crd/bases") })

// number is what a variable of the environment says; otherwise what is given.
func number(t *testing.T, variable string, otherwise uint64) uint64 {
	t.Helper()
	text := os.Getenv(variable)
	if text == "" {
		return otherwise
	}
	n, err := strconv.ParseUint(text, 10, 64)
	if err != nil {
		t.Fatalf("%s is %q, wanted a number", variable, text)
	}
	return n
}

func TestEveryPromiseIsKeptInTheWorldOfEverySeed(t *testing.T) {
	shared, err := setup()
	if err != nil {
		t.Fatal(err)
	}
	shared.Verbose = os.Getenv("VERBOSE") != ""
	first, count := number(t, "FIRST", 1), number(t, "SEEDS", fixedSeeds)
	if one := number(t, "SEED", 0); one != 0 {
		first, count = one, 1
	}
	total := NewCoverage()
	t.Run("seed", func(t *testing.T) {
		for seed := first; seed < first+count; seed++ {
			t.Run(fmt.Sprint(seed), func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					report, err := Run(shared, seed)
					if err != nil {
						t.Fatal(err)
					}
					total.Add(report.Coverage)
					if len(report.Violations) > 0 || count == 1 {
						fmt.Println(strings.Join(report.Story, "\n")) // at once: others tell theirs at the same time
					}
					for _, violation := range report.Violations {
						t.Errorf("%s", violation)
					}
					if t.Failed() {
						t.Errorf("to see it again: make simulate SEED=%d", seed)
					}
				})
			})
		}
	})
	if count > 1 {
		fmt.Print(total)
	}
	if missing := total.Missing(Wanted()); count >= enoughSeeds && len(missing) > 0 {
		t.Errorf("%d seeds never came across:\n%s", count, strings.Join(missing, "\n"))
	}
}
