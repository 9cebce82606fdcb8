package main

import (
	"bufio"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"heliumai.space/ecsrelease/internal/rollout"
)

// Whoever waits for a release, in any of the states that were seen, ends as the table of phases says.
func TestWaitEndsAsTheTableOfPhasesSays(t *testing.T) {
	states, err := filepath.Glob("../../internal/screen/testdata/*.yaml")
	if err != nil {
		t.Fatal(err)
	}
	reached := map[int]bool{}
	for _, path := range states {
		state := strings.TrimSuffix(filepath.Base(path), ".yaml")
		t.Run(state, func(t *testing.T) {
			release := tell(t, "wait-"+state, state)
			row := rollout.PhaseOf(release).Row()
			reached[row.Exit] = true
			timeout := "20s"
			if row.Exit == rollout.ExitTimeout {
				timeout = "500ms"
			}
			ended := ask(t, told, "wait", release.Name, "--timeout", timeout)
			ended.ends(t, row.Exit, string(row.Phase))
			if row.Exit == rollout.ExitFailed || row.Exit == rollout.ExitPerson {
				ended.ends(t, row.Exit, "kubectl ecsrelease ")
			}
		})
	}
	for _, code := range []int{rollout.ExitReady, rollout.ExitFailed, rollout.ExitTimeout, rollout.ExitPerson} {
		if !reached[code] {
			t.Errorf("no state that was seen ends with %d", code)
		}
	}
}

func TestAWrongUseOrAnAPIThatCannotBeAskedIsNoFailureOfTheRelease(t *testing.T) {
	for name, c := range map[string]struct {
		args []string
		says string
	}{
		"no name":             {[]string{"wait"}, "name one release"},
		"two names":           {[]string{"wait", "a", "b"}, "name one release"},
		"no time":             {[]string{"wait", "a", "--timeout", "0s"}, "--timeout is 0s"},
		"no such flag":        {[]string{"wait", "a", "--forever"}, "unknown flag: --forever"},
		"no such command":     {[]string{"weight", "a"}, "unknown command"},
		"no such format":      {[]string{"environments", "-o", "xml"}, `-o is "xml"`},
		"no such release":     {[]string{"wait", "nobody"}, "there is no EcsRelease nobody in namespace told"},
		"no such environment": {[]string{"environments", "nowhere"}, "there is no EcsEnvironment nowhere"},
		"no such context":     {[]string{"wait", "a", "--context", "nowhere"}, `context "nowhere" does not exist`},
		"no API server":       {[]string{"wait", "a", "--server", "https://127.0.0.1:1"}, "connection refused"},
		"nobody":              {[]string{"wait", "a", "--as", "nobody"}, "forbidden"},
	} {
		t.Run(name, func(t *testing.T) {
			ask(t, told, c.args...).ends(t, rollout.ExitUsage, c.says)
		})
	}
}

// A change that comes while somebody waits is waited for, also on top of a failure.
func TestWhatChangesMeanwhileIsWaitedFor(t *testing.T) {
	release := tell(t, "changes", "progressing")
	cmd, lines := begin(t, "wait", release.Name, "--timeout", "60s")
	said := func(what string) {
		t.Helper()
		for lines.Scan() {
			if strings.Contains(lines.Text(), what) {
				return
			}
		}
		t.Fatalf("it ended without saying %q: %v", what, lines.Err())
	}
	said("Progressing: 2/6 services")
	before := release.Generation
	bump(t, release, "helium-backend:v5")
	said("Observing: the spec has changed")
	retell(t, release, seen(t, "failed").Status, before) // the controller was at the generation before
	retell(t, release, seen(t, "progressing").Status, release.Generation)
	said("Progressing: 2/6 services")
	retell(t, release, seen(t, "ready").Status, release.Generation)
	said("Ready: 6/6 services")
	if err := cmd.Wait(); err != nil {
		t.Errorf("it ended with %v", err)
	}
}

func TestAReleaseThatIsDeletedIsNotWaitedFor(t *testing.T) {
	release := tell(t, "deleted", "progressing")
	cmd := shared.command(t.Context(), told, "wait", release.Name, "--timeout", "60s")
	ended := make(chan outcome, 1)
	output, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	progress, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if first := bufio.NewScanner(progress); !first.Scan() {
		t.Fatal("it says nothing")
	}
	go func() {
		var problems strings.Builder
		for lines := bufio.NewScanner(output); lines.Scan(); {
			fmt.Fprintln(&problems, lines.Text())
		}
		_ = cmd.Wait() // its code is looked at
		ended <- outcome{code: cmd.ProcessState.ExitCode(), errors: problems.String()}
	}()
	if err := shared.client.Delete(t.Context(), release); err != nil {
		t.Fatal(err)
	}
	(<-ended).ends(t, rollout.ExitUsage, "EcsRelease told/deleted: it was deleted")
}
