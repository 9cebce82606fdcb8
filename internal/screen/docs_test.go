package screen

import (
	"os"
	"strings"
	"testing"
)

// page is the page on the plugin, and endpointPage that on endpoints.
const (
	page         = "../../docs/kubectl-ecsrelease.md"
	endpointPage = "../../docs/ecsendpoint.md"
)

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
	for path, name := range map[string]string{page: "broken", endpointPage: "unwired"} {
		content, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		shown := strings.Join(Path(ways()[name], shownAt, Terminal{Width: 110}), "\n")
		if !strings.Contains(string(content), "\n"+shown+"\n") {
			t.Errorf("%s does not show %s as it is:\n%s", path, name, shown)
		}
	}
	environments := readEnvironments(t)
	for _, shown := range Environments(environments[:2]) {
		if !strings.Contains(string(content), "\n"+shown+"\n") {
			t.Errorf("%s does not show, of environments:\n%s", page, shown)
		}
	}
}
