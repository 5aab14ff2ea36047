package report

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/kubectl-mesh/kubectl-mesh/pkg/observe"
)

// Traffic writes who reached whom, as a matrix: a row for each caller, a column for each cluster called, and one for
// the Service that has endpoints in all of them. A cell has the median time over HTTP, or how many calls were lost.
func Traffic(to io.Writer, style Style, traffic *observe.Traffic) error {
	var callers, called []string
	cells := map[[2]string]string{}
	for _, c := range traffic.Calls {
		if !slices.Contains(callers, c.From) {
			callers = append(callers, c.From)
		}
		if c.To != "" && !slices.Contains(called, c.To) {
			called = append(called, c.To)
		}
		at := [2]string{c.From, c.To}
		switch {
		case c.Answered < c.Sent:
			cells[at] = fmt.Sprintf("✗ %d/%d %s", c.Answered, c.Sent, c.Protocol)
		case c.To == "":
			cells[at] = shares(c)
		case c.Protocol == "http" && cells[at] == "":
			cells[at] = "✓ " + milliseconds(c.P50)
		}
	}
	rows := [][]string{append(append([]string{"FROM \\ TO"}, called...), "ANY")}
	for _, from := range callers {
		row := []string{from}
		for _, column := range append(slices.Clone(called), "") {
			row = append(row, cells[[2]string{from, column}])
		}
		rows = append(rows, row)
	}
	_, err := io.WriteString(to, table(style, rows))
	return err
}

// shares says which cluster answered how many calls.
func shares(c observe.Call) string {
	var parts []string
	for cluster, n := range c.ByCluster {
		parts = append(parts, fmt.Sprintf("%s %d%%", cluster, (100*n+c.Answered/2)/c.Answered))
	}
	slices.Sort(parts)
	return strings.Join(parts, ", ")
}

func milliseconds(d time.Duration) string {
	return fmt.Sprintf("%.1f ms", float64(d)/float64(time.Millisecond))
}

// table lays rows out in columns; the first row is the heading.
func table(style Style, rows [][]string) string {
	widths := make([]int, len(rows[0]))
	for _, row := range rows {
		for i, cell := range row {
			widths[i] = max(widths[i], len([]rune(cell)))
		}
	}
	var text strings.Builder
	for r, row := range rows {
		line := ""
		for i, cell := range row {
			line += pad(cell, widths[i]+3)
		}
		line = strings.TrimRight(line, " ")
		switch {
		case r == 0:
			line = style.paint(bold, line)
		case strings.Contains(line, "✗"):
			line = strings.ReplaceAll(line, "✗", style.paint(red, "✗"))
		default:
			line = strings.ReplaceAll(line, "✓", style.paint(green, "✓"))
		}
		text.WriteString(line + "\n")
	}
	return text.String()
}
