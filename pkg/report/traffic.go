package report

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/kubectl-mesh/kubectl-mesh/pkg/facts"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/snapshot"
)

// Traffic writes who reached whom, as a matrix: a row for each caller, a column for each cluster called, and one for
// the Service that has endpoints in all of them. A cell has the median and the 99th percentile over HTTP, how many calls
// were lost, or who answered in another's place. Where the clusters' names are too long for columns, numbers stand for them.
func Traffic(to io.Writer, style Style, traffic *snapshot.Traffic) error {
	m := matrixOf(traffic.Calls)
	rows := m.rows(func(name string) string { return name }, shares)
	var text string
	if columnsFor(between, rows...).width() <= style.Width {
		text = table(style, rows)
	} else {
		numbers := map[string]string{}
		for i, name := range m.names() {
			numbers[name] = fmt.Sprint(i + 1)
			text += numbers[name] + "  " + cut(name, style.Width-len(numbers[name])-2) + "\n"
		}
		rows = m.rows(func(name string) string { return numbers[name] }, func(c snapshot.Call) string {
			return fmt.Sprintf("%d of %d", len(c.ByCluster), len(m.called))
		})
		for _, part := range parts(rows, style.Width) {
			text += "\n" + table(style, part)
		}
	}
	text += style.paint(faint, "p50/p99 over HTTP, in milliseconds; ANY is a Service with endpoints in all.") + "\n"
	_, err := io.WriteString(to, text)
	return err
}

// matrix is the calls between each pair of clusters.
type matrix struct {
	callers, called []string
	calls           map[callPair][]snapshot.Call
}

// callPair is a caller and the cluster that it called; to is empty for the Service that has endpoints in all of them.
type callPair struct{ from, to string }

func matrixOf(calls []snapshot.Call) matrix {
	m := matrix{calls: map[callPair][]snapshot.Call{}}
	for _, c := range calls {
		if !slices.Contains(m.callers, c.From) {
			m.callers = append(m.callers, c.From)
		}
		if c.To != "" && !slices.Contains(m.called, c.To) {
			m.called = append(m.called, c.To)
		}
		at := callPair{c.From, c.To}
		m.calls[at] = append(m.calls[at], c)
	}
	return m
}

// cell says in a word how the calls of a pair went, as the checks judge them.
func (m matrix) cell(at callPair, label func(name string) string) string {
	outcome := facts.OutcomeOf(m.calls[at])
	switch outcome.Kind {
	case facts.NotMade:
		return "?"
	case facts.Lost:
		return fmt.Sprintf("✗ %d/%d %s", outcome.Call.Answered, outcome.Call.Sent, outcome.Call.Protocol)
	case facts.Misdirected:
		return "✗ by " + cmp.Or(label(outcome.AnsweredBy), outcome.AnsweredBy)
	case facts.Unencrypted:
		return "! " + m.latency(at)
	}
	return "✓ " + m.latency(at)
}

// latency is that over HTTP.
func (m matrix) latency(at callPair) string {
	for _, c := range m.calls[at] {
		if c.Protocol == "http" {
			return milliseconds(c.P50) + "/" + milliseconds(c.P99)
		}
	}
	return ""
}

// shared is the cell of the Service that has endpoints in all clusters; spread says who has answered.
func (m matrix) shared(from string, label func(name string) string, spread func(snapshot.Call) string) string {
	at := callPair{from: from}
	if kind := facts.OutcomeOf(m.calls[at]).Kind; kind == facts.Answered || kind == facts.Unencrypted {
		return spread(m.calls[at][0])
	}
	return m.cell(at, label)
}

// names are those of all clusters, callers first.
func (m matrix) names() []string {
	names := slices.Clone(m.callers)
	for _, name := range m.called {
		if !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return names
}

// rows are those of the table, the heading first.
func (m matrix) rows(label func(name string) string, spread func(snapshot.Call) string) [][]string {
	heading := []string{"FROM \\ TO"}
	for _, name := range m.called {
		heading = append(heading, label(name))
	}
	rows := [][]string{append(heading, "ANY")}
	for _, from := range m.callers {
		row := []string{label(from)}
		for _, to := range m.called {
			row = append(row, m.cell(callPair{from, to}, label))
		}
		rows = append(rows, append(row, m.shared(from, label, spread)))
	}
	return rows
}

// shares says which cluster answered how many calls.
func shares(c snapshot.Call) string {
	var parts []string
	for cluster, n := range c.ByCluster {
		parts = append(parts, fmt.Sprintf("%s %d%%", cluster, (100*n+c.Answered/2)/c.Answered))
	}
	slices.Sort(parts)
	return strings.Join(parts, ", ")
}

// milliseconds writes a time with the digits that tell something.
func milliseconds(d time.Duration) string {
	ms := float64(d) / float64(time.Millisecond)
	if ms < 99.95 {
		return fmt.Sprintf("%.1f", ms)
	}
	return fmt.Sprintf("%.0f", ms)
}

// between is how far a table's columns are apart.
const between = 3

// parts cuts a table into tables that are not wider than width, each with the first column.
func parts(rows [][]string, width int) [][][]string {
	var parts [][][]string
	all := columnsFor(between, rows...).widths
	for first := 1; first < len(all); {
		room, last := width-all[0], first
		for last < len(all) && (last == first || all[last]+between <= room) {
			room -= all[last] + between
			last++
		}
		var part [][]string
		for _, row := range rows {
			part = append(part, append([]string{row[0]}, row[first:last]...))
		}
		parts = append(parts, part)
		first = last
	}
	return parts
}

// table lays rows out in columns; the first row is the heading. A symbol with which a cell begins has its colour.
func table(style Style, rows [][]string) string {
	layout := columnsFor(between, rows...)
	var text strings.Builder
	for r, row := range rows {
		if r == 0 {
			text.WriteString(style.paint(bold, layout.line(row...)) + "\n")
			continue
		}
		cells := make([]string, len(row))
		for i, cell := range row {
			cells[i] = style.paintSymbol(cell)
		}
		text.WriteString(layout.line(cells...) + "\n")
	}
	return text.String()
}
