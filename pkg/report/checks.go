package report

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"

	"sigs.k8s.io/yaml"

	"github.com/kubectl-mesh/kubectl-mesh/pkg/check"
)

// Checks writes results as a table, one group a cluster, with a closing line for each.
func Checks(to io.Writer, style Style, results []check.Result) error {
	return checks(to, style, results, false)
}

// ChecksWide is Checks with each check's category, and for what did not pass also what was expected, why it matters
// and where it is explained.
func ChecksWide(to io.Writer, style Style, results []check.Result) error {
	return checks(to, style, results, true)
}

func checks(to io.Writer, style Style, results []check.Result, wide bool) error {
	w := &strings.Builder{}
	results = plainResults(results)
	order, byCluster := group(results)
	width, categories := 0, 0
	for _, r := range results {
		width = max(width, len(r.ID))
		if wide {
			categories = max(categories, len(r.Category)+2)
		}
	}
	for _, cluster := range order {
		fmt.Fprintln(w, style.paint(bold, cluster))
		for _, r := range byCluster[cluster] {
			symbol, colour := symbolOf(r.Status)
			head := pad(r.ID, width) + "  "
			if wide {
				head += pad(string(r.Category), categories)
			}
			column := 2 + 1 + 1 + len([]rune(head))
			fmt.Fprintf(w, "  %s %s%s\n", style.paint(colour, symbol), head, hang(r.Seen, style.Width, column))
			if r.Status == check.Pass || r.Status == check.Skip {
				continue
			}
			if wide {
				background(w, style, r)
			}
			w.WriteString(Fix(r.Fix, "    "))
			if wide && r.Docs != "" {
				fmt.Fprintf(w, "    %s\n", style.paint(faint, r.Docs))
			}
		}
	}
	if len(order) > 0 {
		fmt.Fprintln(w)
	}
	if bad := troubles(results); len(bad) > 0 && !wide {
		line := "More about it: kubectl mesh verify --explain " + strings.Join(bad, ",")
		if len([]rune(line)) > style.Width {
			line = "More about each: kubectl mesh verify --explain " + bad[0] + " (or another id)"
		}
		fmt.Fprintln(w, line)
	}
	for _, cluster := range order {
		fmt.Fprintln(w, Tally(cluster, byCluster[cluster]))
	}
	_, err := io.WriteString(to, w.String())
	return err
}

// background says what should have been, and why it matters.
func background(w io.Writer, style Style, r check.Result) {
	if r.Title != "" {
		fmt.Fprintf(w, "    expected: %s\n", hang(r.Title, style.Width, 14))
	}
	// What could not be looked at may be well: why a failure matters is not its matter.
	if c, err := check.Find(r.ID); err == nil && r.Status != check.Unknown {
		fmt.Fprintf(w, "    why: %s\n", hang(c.Why, style.Width, 9))
	}
}

// troubles are the ids of what neither passed nor was skipped, each once and the worst first.
func troubles(results []check.Result) []string {
	var ids []string
	for _, status := range []check.Status{check.Fail, check.Unknown, check.Warn} {
		for _, r := range results {
			if r.Status == status && !slices.Contains(ids, r.ID) {
				ids = append(ids, r.ID)
			}
		}
	}
	return ids
}

// Names writes a line for each result that scripts can take apart: check/CLUSTER/ID STATUS, and for calls from one
// cluster to another check/CLUSTER/ID/OTHER STATUS.
func Names(to io.Writer, results []check.Result) error {
	w := &strings.Builder{}
	for _, r := range merge(plainResults(results)) {
		fmt.Fprintf(w, "%s %s\n", name(r), r.Status)
	}
	_, err := io.WriteString(to, w.String())
	return err
}

func name(r check.Result) string {
	path := []string{"check", r.Cluster, r.ID}
	if r.To != "" {
		path = append(path, r.To)
	}
	return strings.Join(path, "/")
}

// merge leaves of the results that have one name the worst, since a name stands for one thing.
func merge(results []check.Result) []check.Result {
	var merged []check.Result
	at := map[string]int{}
	for _, r := range results {
		i, again := at[name(r)]
		switch {
		case !again:
			at[name(r)] = len(merged)
			merged = append(merged, r)
		case check.Worst([]check.Result{merged[i]}) != check.Worst([]check.Result{merged[i], r}):
			merged[i] = r
		}
	}
	return merged
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

// YAML writes any value as YAML, with the fields of its JSON.
func YAML(w io.Writer, value any) error {
	text, err := yaml.Marshal(value)
	if err != nil {
		return err
	}
	_, err = w.Write(text)
	return err
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

// hang wraps text to width, when its first line begins at column and the others are to begin there, too.
func hang(text string, width, column int) string {
	return strings.Join(wrap(text, width-column), "\n"+strings.Repeat(" ", column))
}

// wrap breaks text at blanks into lines of at most width. A longer word is broken after a slash, as identities and paths
// can be, or stays whole.
func wrap(text string, width int) []string {
	width = max(width, 30)
	var lines []string
	line := ""
	for word := range strings.FieldsSeq(text) {
		for runes := []rune(word); len(runes) > width; runes = []rune(word) {
			first := strings.LastIndex(string(runes[:width]), "/") + 1
			if first == 0 {
				break
			}
			if line != "" {
				lines = append(lines, line)
			}
			line, word = word[:first], word[first:]
		}
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
