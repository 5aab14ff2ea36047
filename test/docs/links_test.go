package docs

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// Every link of a page to a file of this repository leads to one that exists, and to a heading that it has.
func TestLinks(t *testing.T) {
	t.Parallel()
	others := []string{"CONTRIBUTING.md", "krew/README.md", "plugins/README.md", "test/bench/README.md", "test/lab/README.md"}
	for _, page := range append(allPages(t), others...) {
		for _, link := range linksOf(read(t, filepath.Join(root, page))) {
			file, anchor, _ := strings.Cut(link, "#")
			target := filepath.Join(root, page)
			if file != "" {
				target = filepath.Join(root, filepath.Dir(page), file)
			}
			if _, err := os.Stat(target); err != nil {
				t.Errorf("%s: the link to %s leads nowhere: %v", page, link, err)
				continue
			}
			if anchor != "" && !anchorsOf(read(t, target))[anchor] {
				t.Errorf("%s: the link to %s leads to no heading", page, link)
			}
		}
	}
}

func TestLinksOf(t *testing.T) {
	t.Parallel()
	text := "# A page\n[one](a.md) and [two\nlines](b.md#c-d), [out](https://example.com)\n\n```sh\necho '[no](c.md)' # d\n```\n## C, `d`\n"
	if got := strings.Join(linksOf(text), " "); got != "a.md b.md#c-d" {
		t.Errorf("links are %q", got)
	}
	if anchors := anchorsOf(text); !anchors["a-page"] || !anchors["c-d"] || len(anchors) != 2 {
		t.Errorf("anchors are %v", anchors)
	}
}

// linksOf are the targets of a page's links, without those to other sites.
func linksOf(text string) []string {
	var links []string
	for _, link := range regexp.MustCompile(`\]\(([^)\s]+)\)`).FindAllStringSubmatch(withoutBlocks(text), -1) {
		if !strings.Contains(link[1], "://") {
			links = append(links, link[1])
		}
	}
	return links
}

// anchorsOf are those that GitHub makes of a page's headings.
func anchorsOf(text string) map[string]bool {
	anchors := map[string]bool{}
	for _, heading := range regexp.MustCompile(`(?m)^#+ (.*)$`).FindAllStringSubmatch(withoutBlocks(text), -1) {
		kept := regexp.MustCompile(`[^a-z0-9 _-]`).ReplaceAllString(strings.ToLower(heading[1]), "")
		anchors[strings.ReplaceAll(kept, " ", "-")] = true
	}
	return anchors
}

// withoutBlocks is a page without its blocks of code.
func withoutBlocks(text string) string {
	return regexp.MustCompile("(?ms)^```.*?\n```$").ReplaceAllString(text, "")
}

func read(t *testing.T, file string) string {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
