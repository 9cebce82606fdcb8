package main

import (
	"fmt"
	"io"
	"os"
	"regexp"
	"strings"
	"testing"

	"heliumai.space/ecsrelease/internal/rollout"
)

// page is the page on the plugin.
func page(t *testing.T) string {
	t.Helper()
	content, err := os.ReadFile("../../docs/kubectl-ecsrelease.md")
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

func TestThePageHasTheExitCodesOfTheTableOfPhases(t *testing.T) {
	content := page(t)
	for code := rollout.ExitReady; code <= rollout.ExitUsage; code++ {
		var phases []string
		for _, row := range rollout.Phases {
			if row.Exit == code {
				phases = append(phases, string(row.Phase))
			}
		}
		row := regexp.MustCompile(fmt.Sprintf(`(?m)^\| %d \| [^|]+ \| ?%s ?\|$`, code, strings.Join(phases, ", ")))
		if !row.MatchString(content) {
			t.Errorf("the page has no row for %d with the phases %v", code, phases)
		}
	}
}

// Each command has a heading of its own, with a line that runs it; and no line runs another one, or has a
// flag that is not there.
func TestThePageShowsEveryCommand(t *testing.T) {
	content := page(t)
	root := newRoot(&output{Writer: io.Discard}, io.Discard)
	for _, command := range root.Commands() {
		name := command.Name()
		if name == "completion" || name == "help" {
			continue
		}
		_, section, ok := strings.Cut(content, "\n### "+name+"\n")
		section, _, _ = strings.Cut(section, "\n### ")
		if !ok || !strings.Contains(section, "$ kubectl ecsrelease "+name) {
			t.Errorf("the page has no heading %s with a line that runs it", name)
		}
	}
	lines := regexp.MustCompile(`(?m)^(?:\$ )?kubectl ecsrelease (.*)$`).FindAllStringSubmatch(content, -1)
	if len(lines) < 15 {
		t.Fatalf("the page runs %d commands, too few to be true", len(lines))
	}
	for _, line := range lines {
		command, args, err := root.Find(strings.Fields(line[1]))
		if err != nil || command == root {
			t.Errorf("kubectl ecsrelease %s: %v", line[1], err)
			continue
		}
		if err := command.ParseFlags(args); err != nil {
			t.Errorf("kubectl ecsrelease %s: %v", line[1], err)
		}
	}
}
