package report

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/kubectl-mesh/kubectl-mesh/pkg/check"
)

// List writes what checks there are: id, category and title of each.
func List(to io.Writer, style Style, checks []check.Check) error {
	heads := [][]string{{"ID", "CATEGORY"}}
	for _, c := range checks {
		heads = append(heads, []string{c.ID, string(c.Category)})
	}
	layout := columnsFor(2, heads...)
	w := &strings.Builder{}
	fmt.Fprintln(w, style.paint(bold, layout.line("ID", "CATEGORY", "PASSES WHEN")))
	for _, c := range checks {
		fmt.Fprintln(w, layout.paragraph(style.Width, c.ID, string(c.Category), c.Title))
	}
	_, err := io.WriteString(to, w.String())
	return err
}

// ListNames writes the checks' ids, one a line.
func ListNames(to io.Writer, checks []check.Check) error {
	w := &strings.Builder{}
	for _, c := range checks {
		fmt.Fprintln(w, c.ID)
	}
	_, err := io.WriteString(to, w.String())
	return err
}

// Explain writes what is to be known of each check.
func Explain(to io.Writer, style Style, checks []check.Check) error {
	w := &strings.Builder{}
	width := min(style.Width, 100) // longer lines are hard to read
	for i, c := range checks {
		if i > 0 {
			fmt.Fprintln(w)
		}
		fmt.Fprintln(w, style.paint(bold, c.ID))
		fmt.Fprintf(w, "  %s\n", hang("Passes when: "+c.Title+".", width, 2))
		fmt.Fprintf(w, "  %s\n", hang("Category: "+string(c.Category)+". "+AskedBy(c)+".", width, 2))
		if len(c.Needs) > 0 {
			fmt.Fprintf(w, "  %s\n", hang("Skipped when one of these fails: "+strings.Join(c.Needs, ", ")+".", width, 2))
		}
		fmt.Fprintf(w, "\n  %s\n", hang(c.Why, width, 2))
		fmt.Fprintf(w, "\n  → %s\n", hang(c.Fix, width, 4))
		fmt.Fprintf(w, "\n  %s\n", style.paint(faint, c.Docs))
	}
	_, err := io.WriteString(to, w.String())
	return err
}

// AskedBy says in words which commands ask a check.
func AskedBy(c check.Check) string {
	var by []string
	if c.Verify {
		how := "verify"
		if c.Category == check.Traffic {
			how = "verify --traffic"
		}
		by = append(by, how)
	}
	if c.Preflight {
		by = append(by, "preflight")
	}
	by = append(by, slices.Clone(c.Before)...)
	if len(by) > 1 {
		by = append(by[:len(by)-2], by[len(by)-2]+" and "+by[len(by)-1])
	}
	text := "Asked by " + strings.Join(by, ", ")
	if c.Severity == check.Warn {
		text += "; at worst a warning"
	}
	return text
}
