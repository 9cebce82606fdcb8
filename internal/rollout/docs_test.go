package rollout

import (
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

func TestThePageOnReleasesHasTheTableOfPhases(t *testing.T) {
	var want []string
	for _, row := range Phases {
		want = append(want, strings.Join([]string{
			string(row.Phase), string(row.Ready), there(row.Reconciling), there(row.Stalled), string(row.Health), strconv.Itoa(row.Exit),
		}, "|"))
	}
	page, err := os.ReadFile("../../docs/ecsrelease.md")
	if err != nil {
		t.Fatal(err)
	}
	_, after, ok := strings.Cut(string(page), "\n| phase | Ready | Reconciling | Stalled | Argo CD health | exit code |\n|---|---|---|---|---|---|\n")
	if !ok {
		t.Fatal("the page has no table with these columns")
	}
	table, _, _ := strings.Cut(after, "\n\n")
	var got []string
	for line := range strings.SplitSeq(table, "\n") {
		cells := strings.Split(strings.Trim(line, "|"), "|")
		for i := range cells {
			cells[i] = strings.TrimSpace(cells[i])
		}
		got = append(got, strings.Join(cells, "|"))
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("phases (-code +page):\n%s", diff)
	}
}

// there is a condition that is only there when true.
func there(condition bool) string {
	if condition {
		return string(metav1.ConditionTrue)
	}
	return ""
}
