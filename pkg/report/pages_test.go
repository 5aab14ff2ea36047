package report

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/kubectl-mesh/kubectl-mesh/pkg/check"
)

// linked are the checks that a page of docs links to. Each must be one that there is, under its own name.
func linked(t *testing.T, page string) []string {
	t.Helper()
	text, err := os.ReadFile("../../docs/" + page)
	if err != nil {
		t.Fatal(err)
	}
	var ids []string
	links := regexp.MustCompile(`\[([^\]]+)\]\(checks\.md#([^)]+)\)`).FindAllStringSubmatch(string(text), -1)
	for _, link := range links {
		if category, is := strings.CutPrefix(link[2], "category-"); is {
			if !slices.Contains(check.Categories(), check.Category(category)) {
				t.Errorf("%s leads to #%s, which is no category", page, link[2])
			}
			continue
		}
		if _, err := check.Find(link[2]); err != nil || link[1] != link[2] {
			t.Errorf("%s: %q leads to #%s, which is no check of that name", page, link[1], link[2])
		}
		ids = append(ids, link[2])
	}
	if len(ids) == 0 {
		t.Errorf("%s names no check", page)
	}
	return ids
}

func TestPagesNameChecks(t *testing.T) {
	t.Parallel()
	for _, page := range []string{"concepts.md", "gitops.md"} {
		linked(t, page)
	}
}

// Whatever verify and preflight can find has a symptom by which a reader finds it.
func TestTroubleshootingNamesEveryCheck(t *testing.T) {
	t.Parallel()
	ids := linked(t, "troubleshooting.md")
	for _, c := range check.All() {
		if !slices.Contains(ids, c.ID) {
			t.Errorf("docs/troubleshooting.md leads nobody to %s", c.ID)
		}
	}
}
