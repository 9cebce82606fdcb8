package docs_test

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// link is a link of Markdown, without the text.
var link = regexp.MustCompile(`\]\(([^()\s]*)\)`)

// fenced are the blocks of a page, and code what stands in a line between back quotes: what looks like a
// link there is none.
var (
	fenced = regexp.MustCompile("(?ms)^```.*?^```$")
	code   = regexp.MustCompile("`[^`\n]*`")
)

// linked are the pages whose links are checked: those of docs, and those of other directories that lead there.
func linked(t *testing.T) []string {
	t.Helper()
	return append(pages(t), "config/samples/gitops/README.md")
}

func TestEveryLinkLeadsSomewhere(t *testing.T) {
	checked := 0
	for _, page := range linked(t) {
		for _, found := range link.FindAllStringSubmatch(fenced.ReplaceAllString(read(t, page), ""), -1) {
			target := found[1]
			if strings.HasPrefix(target, "https://") {
				continue
			}
			checked++
			if err := leads(t, page, target); err != nil {
				t.Errorf("%s links to %s: %v", page, target, err)
			}
		}
	}
	if checked < 50 {
		t.Errorf("%d links were found, too few to be true", checked)
	}
}

// leads is nil when a relative link of a page leads to a file and, where it names one, to a heading in it.
func leads(t *testing.T, page, target string) error {
	t.Helper()
	path, anchor, hasAnchor := strings.Cut(target, "#")
	if strings.Contains(path, ":") || strings.HasPrefix(path, "/") {
		return fmt.Errorf("%q is not a relative path", path)
	}
	to := page
	if path != "" {
		to = filepath.Join(filepath.Dir(page), path)
	}
	if _, err := os.Stat(filepath.Join(root, to)); err != nil {
		return err
	}
	if !hasAnchor {
		return nil
	}
	if anchors := anchorsOf(read(t, to)); !slices.Contains(anchors, anchor) {
		return fmt.Errorf("%s has no heading %q, it has %v", to, anchor, anchors)
	}
	return nil
}

// anchorsOf are the names by which GitHub knows the headings of a page.
func anchorsOf(text string) []string {
	var anchors []string
	seen := map[string]int{}
	heading := regexp.MustCompile(`(?m)^#{1,6} +(.*?) *$`)
	for _, found := range heading.FindAllStringSubmatch(fenced.ReplaceAllString(text, ""), -1) {
		anchor := strings.ToLower(found[1])
		anchor = regexp.MustCompile(`\[([^\]]*)\]\([^)]*\)`).ReplaceAllString(anchor, "$1")
		anchor = regexp.MustCompile(`[^\p{L}\p{N} _-]`).ReplaceAllString(anchor, "")
		anchor = strings.ReplaceAll(anchor, " ", "-")
		if n := seen[anchor]; n > 0 {
			anchors = append(anchors, fmt.Sprintf("%s-%d", anchor, n))
		} else {
			anchors = append(anchors, anchor)
		}
		seen[anchor]++
	}
	return anchors
}

func TestHeadingsAreKnownAsGitHubKnowsThem(t *testing.T) {
	page := "# Setting up AWS\n## Blue/green, canaries and hooks\n## spec.image\n```\n# no heading\n```\n## `status.failure`, the evidence\n## Abort\n### Abort\n### \"My release is `Stalled`\"\n"
	want := []string{"setting-up-aws", "bluegreen-canaries-and-hooks", "specimage", "statusfailure-the-evidence", "abort", "abort-1", "my-release-is-stalled"}
	if got := anchorsOf(page); !slices.Equal(got, want) {
		t.Errorf("the headings are %v, want %v", got, want)
	}
}

func TestTheIndexHasEveryPage(t *testing.T) {
	const index = "docs/README.md"
	text := code.ReplaceAllString(read(t, index), "")
	for _, page := range pages(t) {
		name := filepath.Base(page)
		if page == index || filepath.Dir(page) != "docs" {
			continue
		}
		if n := strings.Count(text, "]("+name+")"); n != 1 {
			t.Errorf("%s links to %s %d times, want once", index, name, n)
		}
	}
}
