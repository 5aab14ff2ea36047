package report

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"text/template"

	"github.com/mitchellh/go-wordwrap"

	"github.com/kubectl-mesh/kubectl-mesh/pkg/check"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/internal/golden"
)

// provedBy names, for a check's id, the test in test/faults that breaks just that on real clusters.
func provedBy() map[string]string {
	return map[string]string{}
}

type documented struct {
	check.Check
	Asked, Proof string
}

type documentedCategory struct {
	Anchor check.Category
	Checks []documented
}

// docs/checks.md is made of the checks' own data, so that neither says what the other does not.
func TestDocs(t *testing.T) {
	t.Parallel()
	var page struct {
		Categories []documentedCategory
		Sample     string
	}
	for _, category := range check.Categories() {
		c := documentedCategory{Anchor: category}
		for _, one := range (check.Choice{Categories: []string{string(category)}}).Of(check.All()) {
			d := documented{Check: one, Asked: AskedBy(one)}
			if test := provedBy()[one.ID]; test != "" {
				d.Proof = "`" + test + "`"
			}
			c.Checks = append(c.Checks, d)
		}
		page.Categories = append(page.Categories, c)
	}
	var sample strings.Builder
	if err := JSON(&sample, map[string]any{"results": results()[3:6]}); err != nil {
		t.Fatal(err)
	}
	page.Sample = sample.String()
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
			t.Errorf("a link leads to #%s, which there is not", link[1])
		}
	}
	for _, c := range check.All() {
		if !anchors[c.ID] {
			t.Errorf("%s has no section", c.ID)
		}
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
			line = wordwrap.WrapString(line, 119)
		}
		lines = append(lines, line)
	}
	return strings.Join(lines, "\n")
}

// What is said to be proved by a test must be a test that there is.
func TestProofsExist(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("../../test/faults/*_test.go")
	if err != nil {
		t.Fatal(err)
	}
	var tests strings.Builder
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		tests.Write(text)
	}
	for id, test := range provedBy() {
		if _, err := check.Find(id); err != nil {
			t.Errorf("%s is said to be proved: %v", id, err)
		}
		if !regexp.MustCompile(`"(fail|warn|unknown) ` + regexp.QuoteMeta(id) + ` `).MatchString(tests.String()) {
			t.Errorf("no fault in test/faults makes %s tell anything", id)
		}
		// A test in a table is TestName/case.
		for part := range strings.SplitSeq(test, "/") {
			if !strings.Contains(tests.String(), part) {
				t.Errorf("%s is said to be proved by %s, which is not in test/faults", id, test)
			}
		}
	}
}
