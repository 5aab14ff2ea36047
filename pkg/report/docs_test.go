package report

import (
	"os"
	"regexp"
	"strings"
	"testing"
	"text/template"

	"github.com/kubectl-mesh/kubectl-mesh/pkg/check"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/internal/golden"
)

type documented struct {
	check.Check
	Asked string
}

type documentedCategory struct {
	Anchor check.Category
	Checks []documented
}

// docs/checks.md is made of the checks' own data, so that neither says what the other does not.
func TestDocs(t *testing.T) {
	t.Parallel()
	var page struct{ Categories []documentedCategory }
	for _, category := range check.Categories() {
		c := documentedCategory{Anchor: category}
		for _, one := range (check.Selection{Categories: []string{string(category)}}).Of(check.All()) {
			c.Checks = append(c.Checks, documented{Check: one, Asked: AskedBy(one)})
		}
		page.Categories = append(page.Categories, c)
	}
	var text strings.Builder
	if err := template.Must(template.ParseFiles("testdata/checks.md.tmpl")).Execute(&text, page); err != nil {
		t.Fatal(err)
	}
	markdown := wrapped(text.String())
	golden.Equal(t, "../../../docs/checks.md", markdown)

	anchors := map[string]bool{}
	for line := range strings.Lines(markdown) {
		if heading, is := strings.CutPrefix(strings.TrimLeft(line, "#"), " "); is && strings.HasPrefix(line, "#") {
			anchor := anchorOf(heading)
			if anchors[anchor] {
				t.Errorf("two headings have the anchor %s, so that one of them can't be reached", anchor)
			}
			anchors[anchor] = true
		}
	}
	for _, link := range regexp.MustCompile(`\]\(#([^)]+)\)`).FindAllStringSubmatch(markdown, -1) {
		if !anchors[link[1]] {
			t.Errorf("there is no heading for the link to #%s", link[1])
		}
	}
	for _, c := range check.All() {
		if !anchors[c.ID] {
			t.Errorf("%s has no section", c.ID)
		}
	}
}

// The example of docs/guide/output.md is what -o json prints.
func TestDocsOfJSON(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("../../docs/guide/output.md")
	if err != nil {
		t.Fatal(err)
	}
	var example strings.Builder
	if err := JSON(&example, map[string]any{"results": results()[3:6]}); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(page), "```json\n"+example.String()+"```\n") {
		t.Errorf("docs/guide/output.md does not have this example:\n%s", example.String())
	}
}

// anchorOf is what GitHub makes of a heading.
func anchorOf(heading string) string {
	kept := regexp.MustCompile(`[^a-z0-9 _-]`).ReplaceAllString(strings.ToLower(strings.TrimSpace(heading)), "")
	return strings.ReplaceAll(kept, " ", "-")
}

var istiosIssue = regexp.MustCompile(`#(\d{4,})`)

// wrapped breaks the paragraphs that the checks' texts make, which are one line each, as the rest of the page is,
// and makes links of the issues that they name.
func wrapped(text string) string {
	var lines []string
	for line := range strings.SplitSeq(text, "\n") {
		if strings.HasPrefix(line, "**") {
			line = istiosIssue.ReplaceAllString(line, "[#$1](https://github.com/istio/istio/issues/$1)")
			line = Wrap(line, 119)
		}
		lines = append(lines, line)
	}
	return strings.Join(lines, "\n")
}
