package screen

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/yaml"

	ecsv1alpha1 "heliumai.space/ecsrelease/api/v1alpha1"
	"heliumai.space/ecsrelease/internal/taskdef"
)

var update = flag.Bool("update", false, "write the screens instead of comparing them")

// The releases in testdata were read from an API server while the controller worked on them, and
// seenAt is when.
const seenAt = "seen-at"

// read is a release of testdata, and when it was seen.
func read(t *testing.T, path string) (*ecsv1alpha1.EcsRelease, time.Time) {
	t.Helper()
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var release ecsv1alpha1.EcsRelease
	if err := yaml.UnmarshalStrict(raw, &release); err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	now, err := time.Parse(time.RFC3339, release.Annotations[seenAt])
	if err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	return &release, now
}

// golden compares lines with a file of testdata, or writes it.
func golden(t *testing.T, path string, lines []string) {
	t.Helper()
	got := strings.Join(lines, "\n") + "\n"
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got; go test ./internal/screen -update writes it):\n%s", path, diff)
	}
}

// A release in each state that people have to tell from the others, in a file and in a terminal.
func TestScreens(t *testing.T) {
	releases, err := filepath.Glob("testdata/*.yaml")
	if err != nil || len(releases) < 12 {
		t.Fatalf("testdata has %d releases (%v), wanted 12 at least", len(releases), err)
	}
	for _, path := range releases {
		name := strings.TrimSuffix(path, ".yaml")
		t.Run(filepath.Base(name), func(t *testing.T) {
			release, now := read(t, path)
			golden(t, name+".plain", Status(release, now, Terminal{}))
			for _, width := range []int{80, 120} {
				lines := Status(release, now, Terminal{Width: width, Color: true})
				golden(t, name+"."+map[int]string{80: "80", 120: "120"}[width], lines)
				for _, l := range lines {
					if n := length(bare(l)); n > width {
						t.Errorf("a line takes %d columns of %d: %s", n, width, l)
					}
				}
			}
		})
	}
}

// bare is a line without its colors.
func bare(l string) string {
	for _, code := range codes {
		l = strings.ReplaceAll(l, "\x1b["+code+"m", "")
	}
	return strings.ReplaceAll(l, "\x1b[0m", "")
}

// From one look to the next a line per change, and none where nothing changed.
func TestChanges(t *testing.T) {
	var lines []string
	var last *ecsv1alpha1.EcsRelease
	for _, name := range []string{"changed-since", "promotion", "baking", "awaiting-approval", "suspended", "progressing", "ready", "not-permitted"} {
		release, now := read(t, "testdata/"+name+".yaml")
		lines = append(lines, "# "+name)
		lines = append(lines, Changes(last, release, now, nil)...)
		if again := Changes(release, release, now, nil); again != nil {
			t.Errorf("%s: nothing has changed, and it says %q", name, again)
		}
		last = release
	}
	golden(t, "testdata/changes.log", lines)
}

// What a release would do, in color: what is there already, what is new, what cannot be told.
func TestPlans(t *testing.T) {
	image := taskdef.Change{Path: "containerDefinitions[backend].image", Before: "helium-backend:v1", After: "helium-backend@sha256:eb9e9344"}
	at := Plan{Target: "mumbai", Region: "ap-south-1", Cluster: "helium-mumbai-cluster", Service: "backend", Runs: "helium-backend:7"}
	anew, known, wrong := at, at, at
	anew.Family, anew.Changes = "helium-backend", []taskdef.Change{
		image,
		{Path: "containerDefinitions[backend].environment[PASSWORD].value", Before: taskdef.Hidden, After: taskdef.HiddenToo},
		{Path: "tags[ecs.heliumai.space/base].value", After: "helium-backend:7"},
	}
	known.Has, known.Changes = "helium-backend:6", []taskdef.Change{image}
	wrong.Problem = "there is no image helium-backend:v9 in registry 111122223333 in ap-south-1"
	plans := []Plan{at, anew, known, wrong}
	golden(t, "testdata/plans.plain", Plans(plans, Terminal{}))
	golden(t, "testdata/plans.color", Plans(plans, Terminal{Color: true}))
}

func TestHistory(t *testing.T) {
	release, now := read(t, "testdata/held.yaml")
	golden(t, "testdata/history.table", History(release, now))
}

func TestEnvironments(t *testing.T) {
	golden(t, "testdata/environments.table", Environments(readEnvironments(t)))
}

// readEnvironments are the environments of testdata.
func readEnvironments(t *testing.T) []ecsv1alpha1.EcsEnvironment {
	t.Helper()
	raw, err := os.ReadFile("testdata/environments/list.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var list ecsv1alpha1.EcsEnvironmentList
	if err := yaml.UnmarshalStrict(raw, &list); err != nil {
		t.Fatal(err)
	}
	return list.Items
}

// A low terminal shows what is under way first, and never scrolls.
func TestALowTerminalLeavesOutWhatIsWell(t *testing.T) {
	for _, name := range []string{"progressing", "awaiting-approval", "failed", "ready", "not-permitted"} {
		release, now := read(t, "testdata/"+name+".yaml")
		for height := 1; height <= 40; height++ {
			lines := Status(release, now, Terminal{Width: 100, Height: height})
			if len(lines) > height {
				t.Errorf("%s: %d lines in a terminal of %d", name, len(lines), height)
			}
		}
	}
	release, now := read(t, "testdata/progressing.yaml")
	golden(t, "testdata/progressing.low", Status(release, now, Terminal{Width: 100, Height: 22}))
	golden(t, "testdata/progressing.lowest", Status(release, now, Terminal{Width: 100, Height: 14}))
}

// What comes from AWS, or from whoever writes a cause, is shown and not obeyed.
func TestATerminalObeysNothingThatComesFromElsewhere(t *testing.T) {
	const evil = "\x1b]0;owned\x07 \x1b[2J\r\nsecond line\u009b31m"
	release, now := read(t, "testdata/failed.yaml")
	failure := release.Status.Failure
	failure.Message, failure.Tasks[0].Reason, failure.Tasks[0].Results[0].Reason, failure.Events[0].Message = evil, evil, evil, evil
	failure.UnhealthyTargets = []ecsv1alpha1.UnhealthyTarget{{TargetGroup: "blue", Target: "10.0.0.7:80", State: "unhealthy", Description: evil}}
	release.Status.History[0].Cause = evil
	release.Status.Targets[0].Verification = evil
	for i := range release.Status.Conditions {
		release.Status.Conditions[i].Message = evil
	}
	service := &release.Status.Targets[0].Services[0]
	service.State, service.Message = ecsv1alpha1.ServiceFailed, evil
	all := append(Status(release, now, Terminal{}), Changes(nil, release, now, nil)...)
	all = append(all, History(release, now)...)
	for _, l := range all {
		if strings.ContainsAny(l, "\x1b\x07\r\n\u009b") {
			t.Errorf("a line would be obeyed: %q", l)
		}
	}
	if said := strings.Join(all, "\n"); strings.Count(said, "second line") < 7 {
		t.Errorf("what was said is not shown:\n%s", said)
	}
}
