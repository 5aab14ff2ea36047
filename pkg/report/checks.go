package report

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"github.com/kubectl-mesh/kubectl-mesh/pkg/check"
)

// Checks writes results as a table, one group a cluster, with a closing line for each.
func Checks(to io.Writer, style Style, results []check.Result) error {
	w := &strings.Builder{}
	order, byCluster := group(results)
	width := 0
	for _, r := range results {
		width = max(width, len(r.ID))
	}
	for _, cluster := range order {
		fmt.Fprintln(w, style.paint(bold, cluster))
		for _, r := range byCluster[cluster] {
			symbol, colour := symbolOf(r.Status)
			indent := 2 + 1 + 1 + width + 2
			lines := wrap(r.Seen, style.Width-indent)
			fmt.Fprintf(w, "  %s %s  %s\n", style.paint(colour, symbol), pad(r.ID, width), lines[0])
			for _, line := range lines[1:] {
				fmt.Fprintf(w, "%s%s\n", strings.Repeat(" ", indent), line)
			}
			if r.Fix != "" && r.Status != check.Pass {
				// Not wrapped: a command must be one line to be pasted.
				fmt.Fprintf(w, "%s→ %s\n", strings.Repeat(" ", indent-2), r.Fix)
			}
		}
	}
	if len(order) > 0 {
		fmt.Fprintln(w)
	}
	for _, cluster := range order {
		fmt.Fprintln(w, Tally(cluster, byCluster[cluster]))
	}
	_, err := io.WriteString(to, w.String())
	return err
}

// Tally is the closing line of a cluster: `cluster2: 31 passed, 1 warning, 2 failed`.
func Tally(cluster string, results []check.Result) string {
	count := map[check.Status]int{}
	for _, r := range results {
		count[r.Status]++
	}
	parts := []string{fmt.Sprintf("%d passed", count[check.Pass])}
	for _, p := range []struct {
		status    check.Status
		one, many string
	}{
		{check.Warn, "warning", "warnings"}, {check.Unknown, "unknown", "unknown"},
		{check.Skip, "skipped", "skipped"}, {check.Fail, "failed", "failed"},
	} {
		switch n := count[p.status]; {
		case n == 1:
			parts = append(parts, "1 "+p.one)
		case n > 1:
			parts = append(parts, fmt.Sprintf("%d %s", n, p.many))
		}
	}
	return cluster + ": " + strings.Join(parts, ", ")
}

// JSON writes any value as indented JSON.
func JSON(w io.Writer, value any) error {
	encoder := json.NewEncoder(w)
	encoder.SetIndent("", "  ")
	encoder.SetEscapeHTML(false)
	return encoder.Encode(value)
}

func group(results []check.Result) (order []string, byCluster map[string][]check.Result) {
	byCluster = map[string][]check.Result{}
	for _, r := range results {
		if _, known := byCluster[r.Cluster]; !known {
			order = append(order, r.Cluster)
		}
		byCluster[r.Cluster] = append(byCluster[r.Cluster], r)
	}
	return order, byCluster
}

func symbolOf(status check.Status) (symbol, colour string) {
	switch status {
	case check.Pass:
		return "✓", green
	case check.Warn:
		return "!", yellow
	case check.Unknown:
		return "?", yellow
	case check.Skip:
		return "-", faint
	}
	return "✗", red
}

// wrap breaks text at blanks into lines of at most width; a longer word stays whole.
func wrap(text string, width int) []string {
	width = max(width, 30)
	var lines []string
	line := ""
	for word := range strings.FieldsSeq(text) {
		switch {
		case line == "":
			line = word
		case len([]rune(line))+1+len([]rune(word)) <= width:
			line += " " + word
		default:
			lines = append(lines, line)
			line = word
		}
	}
	return append(lines, line)
}
