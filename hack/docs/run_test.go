package docs_test

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

// Every command that people are given says what it takes to run it. What can be run here is run, by
// the tests below.
func TestEveryBlockOfCommandsSaysWhatItNeeds(t *testing.T) {
	marks := []string{markRun, markTry, markMake, markAWS, markCluster, markSeen}
	counted := map[string]int{}
	for _, page := range pages(t) {
		for _, b := range blocksOf(page, read(t, page)) {
			counted[b.mark]++
			switch {
			case !b.isCommands():
				if strings.Contains("\n"+b.text, "\n$ ") {
					t.Errorf("%s: commands in a block of language %q, want console", b, b.language)
				}
			case !slices.Contains(marks, b.mark):
				t.Errorf("%s: the block is marked %q behind its language, want one of %v (see CONTRIBUTING.md)", b, b.mark, marks)
			case b.language == "console" && len(stepsOf(b)) == 0:
				t.Errorf("%s: a console without a command", b)
			}
		}
	}
	if counted[markRun] < 20 {
		t.Errorf("%d blocks are to be run, too few to be true: %v", counted[markRun], counted)
	}
}

func TestWhatIsNotRunIsCommandsAllTheSame(t *testing.T) {
	for _, page := range pages(t) {
		for _, b := range blocksOf(page, read(t, page)) {
			if !b.isCommands() {
				continue
			}
			text := b.text
			if b.language == "console" {
				text = ""
				for _, s := range stepsOf(b) {
					text += s.command + "\n"
				}
			}
			cmd := exec.CommandContext(t.Context(), "bash", "-n")
			cmd.Stdin = strings.NewReader(text)
			if output, err := cmd.CombinedOutput(); err != nil {
				t.Errorf("%s: %v\n%s", b, err, output)
			}
		}
	}
}

func TestEveryTargetThatThePagesMakeIsThere(t *testing.T) {
	targets := map[string]bool{}
	for _, found := range regexp.MustCompile(`(?m)^([a-z0-9.-]+):.*## `).FindAllStringSubmatch(read(t, "Makefile"), -1) {
		targets[found[1]] = true
	}
	checked := 0
	for _, page := range pages(t) {
		for _, b := range blocksOf(page, read(t, page)) {
			if b.mark != markMake {
				continue
			}
			for line := range strings.Lines(b.text) {
				command, _, _ := strings.Cut(line, "#")
				words := strings.Fields(command)
				if len(words) == 0 {
					continue
				}
				checked++
				if words[0] != "make" || len(words) < 2 || !targets[words[1]] {
					t.Errorf("%s: %q is no target that make help shows", b, strings.TrimSpace(line))
				}
			}
		}
	}
	if checked < 5 {
		t.Errorf("%d targets were found, too few to be true", checked)
	}
}

// From an empty directory to a release that is ready, and that fails and comes back.
func TestANewUserGetsThereByFollowingThePage(t *testing.T) {
	t.Parallel()
	u, err := newUser()
	if err != nil {
		t.Fatal(err)
	}
	follow(t, u.shell, u.rest)
}

// elsewhere are the pages whose commands are run by other tests, which make what these take.
var elsewhere = map[string]string{"docs/ci.md": "hack/ci/workflow_test.go"}

func TestWhoRunsAPageReadsIt(t *testing.T) {
	for page, test := range elsewhere {
		if text := read(t, test); !strings.Contains(text, page) || !strings.Contains(text, `"sh `+markRun+`"`) {
			t.Errorf("%s does not run the commands of %s", test, page)
		}
	}
}

// together are pages that share a lab, since one takes a while to make. Each leaves the releases as the
// next one takes them to be.
var together = [][]string{
	{"docs/argocd.md", "docs/ecsenvironment.md", "docs/kubectl-ecsrelease.md"},
	{"docs/moving-from-github-actions.md", "docs/install.md"},
}

// The commands of each page are run in the world that `make lab` makes, one after the other.
func TestTheCommandsOfThePagesDoWhatThePagesSay(t *testing.T) {
	t.Parallel()
	groups := slices.Clone(together)
	for _, page := range pages(t) {
		if page != startPage && elsewhere[page] == "" && !slices.Contains(slices.Concat(together...), page) {
			groups = append(groups, []string{page})
		}
	}
	for _, group := range groups {
		var blocks []block
		var names []string
		for _, page := range group {
			if found := toRun(t, page); len(found) > 0 {
				blocks, names = append(blocks, found...), append(names, filepath.Base(page))
			}
		}
		if len(blocks) > 0 {
			t.Run(strings.Join(names, ","), func(t *testing.T) {
				t.Parallel()
				follow(t, newLab(t), blocks)
			})
		}
	}
}

// toRun are the blocks of a page that can be run here.
func toRun(t *testing.T, page string) []block {
	t.Helper()
	return slices.DeleteFunc(blocksOf(page, read(t, page)), func(b block) bool {
		return !b.isCommands() || b.mark != markRun && b.mark != markTry
	})
}

// newLab is a terminal next to the one that `make lab` runs in, with the lines pasted that this prints.
func newLab(t *testing.T) *shell {
	t.Helper()
	u, err := newUser()
	if err != nil {
		t.Fatal(err)
	}
	s, err := openShell("", append(u.env, "CHECKOUT="+filepath.Join(u.home, "ecsrelease"))...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.close)
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	// Three times as fast as `make lab`: what is seen is the same.
	output, err := s.do(ctx, `export PATH="$CHECKOUT/bin:$PATH"
here=$PWD
cd "$CHECKOUT" # as whoever runs make is
TMPDIR=$here lab --mode=lab --speed=30 >"$here/lab.log" 2>&1 &
lab=$!
until grep -q "^The lab is up" "$here/lab.log" && grep -q "Ctrl-C ends it all" "$here/lab.log"; do
	kill -0 $lab || { cat "$here/lab.log"; false; }
	sleep 0.2
done
eval "$(grep -E '^  (export|unset) ' "$here/lab.log")"
until [ "$(kubectl get ecsreleases -A -o jsonpath='{.items[*].status.conditions[?(@.type=="Ready")].status}')" = "True True" ]; do sleep 0.2; done
`)
	if err != nil {
		t.Fatalf("making the lab: %v\n%s", err, output)
	}
	return s
}

// patience is how long a step may take, and how long it may take until what a page shows is seen.
const patience = 2 * time.Minute

// follow runs blocks, one after the other, as somebody does who reads a page.
func follow(t *testing.T, s *shell, blocks []block) {
	t.Helper()
	k := known{}
	for _, b := range blocks {
		began := time.Now()
		if err := k.follow(t.Context(), s, b); err != nil {
			t.Fatalf("%s: %v", b, err)
		}
		t.Logf("%s took %s", b, time.Since(began).Round(10*time.Millisecond))
	}
}

func (k known) follow(ctx context.Context, s *shell, b block) error {
	if b.language != "console" {
		ctx, cancel := context.WithTimeout(ctx, patience)
		defer cancel()
		if output, err := s.do(ctx, k.here(b.text)); err != nil {
			return fmt.Errorf("%w\n%s", err, output)
		}
		return nil
	}
	for _, step := range stepsOf(b) {
		if err := k.take(ctx, s, step, b.mark == markRun); err != nil {
			return fmt.Errorf("line %d: %s: %w", step.line, step.command, err)
		}
	}
	return nil
}

// looks are commands that change nothing. Who gives one that does not show yet what the page shows gives it again.
var looks = regexp.MustCompile(`^(kubectl( -n \S+)? (get|describe)|kubectl ecsrelease (status|history|environments|diff)|aws \S+ (describe|list|get)-) ?\S*`)

// take gives a command, which must succeed unless the page shows that it is refused, and compares what
// it shows.
func (k known) take(ctx context.Context, s *shell, step step, compare bool) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	compare = compare && len(step.shown) > 0
	refused := compare && strings.HasPrefix(step.shown[0], "Error")
	command := k.here(step.command)
	var last error
	for {
		output, status, err := s.ask(ctx, command)
		if err != nil {
			return fmt.Errorf("not within %s: %w\n%s", patience, cmp.Or(last, err), output)
		}
		if (status != 0) != refused {
			err = fmt.Errorf("exit status %d\n%s", status, output)
		} else if compare {
			err = k.matches(step.shown, output)
		}
		if err == nil || !compare || !looks.MatchString(command) {
			return err
		}
		last = err
		select {
		case <-ctx.Done():
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// No variable of the steps that both ways share is set in one way only.
func TestTheWayWithAWSSetsWhatTheOneWithoutSets(t *testing.T) {
	exported := regexp.MustCompile(`([A-Z_]+)=`)
	set := map[string][]string{}
	for _, b := range blocksOf(startPage, read(t, startPage)) {
		if strings.HasPrefix(b.text, "export ACCOUNT_ID=") {
			for _, found := range exported.FindAllStringSubmatch(b.text, -1) {
				set[b.mark] = append(set[b.mark], found[1])
			}
		}
	}
	if !slices.Equal(set[markRun], set[markAWS]) || len(set[markRun]) < 8 {
		t.Errorf("on one machine %v are set, with AWS %v", set[markRun], set[markAWS])
	}
	_, shared, _ := strings.Cut(read(t, startPage), "\n## 3. ")
	for _, found := range regexp.MustCompile(`\$\{?([A-Z_]+)`).FindAllStringSubmatch(shared, -1) {
		if !slices.Contains(set[markAWS], found[1]) {
			t.Errorf("the page uses $%s, which it does not have the reader set", found[1])
		}
	}
	for _, name := range set[markAWS] {
		if !strings.Contains(read(t, startPage), "| `"+name+"` |") {
			t.Errorf("the page does not say what %s is", name)
		}
	}
}

func TestTheCheckoutIsNotTouchedByFollowingThePages(t *testing.T) {
	for _, name := range []string{"sandbox", "environment.yaml", "release.yaml"} {
		if _, err := os.Stat(filepath.Join(root, name)); err == nil {
			t.Errorf("%s was left in the repository", name)
		}
	}
}
