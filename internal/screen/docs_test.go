package screen

import (
	"os"
	"strings"
	"testing"
)

// page is the page on the plugin.
const page = "../../docs/kubectl-ecsrelease.md"

// The screens that the page shows are those of releases that were seen.
func TestThePageShowsScreensAsTheyAre(t *testing.T) {
	content, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"progressing", "failed", "awaiting-approval"} {
		release, now := read(t, "testdata/"+name+".yaml")
		shown := strings.Join(Status(release, now, Terminal{Width: 110, Height: 40}), "\n")
		if !strings.Contains(string(content), "\n"+shown+"\n") {
			t.Errorf("%s does not show %s as it is:\n%s", page, name, shown)
		}
	}
	environments := readEnvironments(t)
	for _, shown := range Environments(environments[:2]) {
		if !strings.Contains(string(content), "\n"+shown+"\n") {
			t.Errorf("%s does not show, of environments:\n%s", page, shown)
		}
	}
}
