package cmd

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/cobra/doc"
	"k8s.io/cli-runtime/pkg/genericiooptions"

	"github.com/kubectl-mesh/kubectl-mesh/pkg/internal/golden"
)

// documented calls do for every command that help shows, the root first.
func documented(c *cobra.Command, do func(*cobra.Command)) {
	do(c)
	for _, sub := range c.Commands() {
		if sub.IsAvailableCommand() && !sub.IsAdditionalHelpTopicCommand() {
			documented(sub, do)
		}
	}
}

// The command reference in docs/cli and the manual pages in docs/man are made of the commands themselves.
func TestReference(t *testing.T) {
	t.Parallel()
	root := NewRoot(genericiooptions.IOStreams{})
	root.DisableAutoGenTag = true // which would have the date
	var files []string
	documented(root, func(c *cobra.Command) {
		name := strings.ReplaceAll(c.CommandPath(), " ", "_")
		var page, manual bytes.Buffer
		if err := doc.GenMarkdown(c, &page); err != nil {
			t.Fatal(err)
		}
		// A date would change each time, and so would the man page.
		if err := doc.GenMan(c, &doc.GenManHeader{Section: "1", Date: &time.Time{}}, &manual); err != nil {
			t.Fatal(err)
		}
		pages := filepath.Join("..", "..", "..", "docs")
		golden.Equal(t, filepath.Join(pages, "cli", name+".md"), page.String())
		golden.Equal(t, filepath.Join(pages, "man", strings.ReplaceAll(name, "_", "-")+".1"), strings.Replace(manual.String(), `"Jan 0001"`, `""`, 1))
		files = append(files, name+".md")
	})
	entries, err := os.ReadDir("../../docs/cli")
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range entries {
		if !slices.Contains(files, entry.Name()) {
			t.Errorf("docs/cli/%s is of a command that there is not", entry.Name())
		}
	}
}
