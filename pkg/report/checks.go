package report

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"sigs.k8s.io/yaml"

	"github.com/kubectl-mesh/kubectl-mesh/pkg/check"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/status"
)

// Checks writes results as a table, one group a cluster: in full what is not well, then a line for each category with
// what passed, and one for what was skipped. The last line says how all clusters are.
func Checks(to io.Writer, style Style, results []check.Result) error {
	return checks(to, style, results, false)
}

// ChecksWide is Checks with every result in full and with its category, and for what did not pass also what was
// expected, why it matters and where it is explained.
func ChecksWide(to io.Writer, style Style, results []check.Result) error {
	return checks(to, style, results, true)
}

func checks(to io.Writer, style Style, results []check.Result, wide bool) error {
	w := &strings.Builder{}
	results = plainResults(results)
	order, byCluster := group(results)
	full := func(r check.Result) bool { return wide || bad(r) }
	width, categories := 0, 0
	for _, r := range results {
		if full(r) {
			width = max(width, len(r.ID))
		}
		categories = max(categories, len(r.Category)+2)
	}
	for _, cluster := range order {
		fmt.Fprintln(w, style.paint(bold, cluster))
		for _, r := range byCluster[cluster] {
			if !full(r) {
				continue
			}
			head := pad(r.ID, width) + "  "
			if wide {
				head += pad(string(r.Category), categories)
			}
			symbol, colour := symbolOf(r.Status)
			fmt.Fprintf(w, "  %s %s%s\n", style.paint(colour, symbol), head, hang(r.Seen, style.Width, 4+len([]rune(head))))
			if bad(r) {
				detail(w, style, r, wide)
			}
		}
		if !wide {
			w.WriteString(summed(style, byCluster[cluster], categories))
		}
	}
	if len(order) > 0 {
		fmt.Fprintln(w)
	}
	if ids := troubles(results); len(ids) > 0 && !wide {
		line := "More about it: kubectl mesh verify --explain " + strings.Join(ids, ",")
		if len([]rune(line)) > style.Width {
			line = "More about each: kubectl mesh verify --explain " + ids[0] + " (or another id)"
		}
		fmt.Fprintln(w, line)
	}
	for _, cluster := range order {
		fmt.Fprintln(w, Tally(cluster, byCluster[cluster]))
	}
	if len(order) > 0 {
		fmt.Fprintln(w, verdict(style, order, byCluster))
	}
	_, err := io.WriteString(to, w.String())
	return err
}

// bad is true for what is shown in full.
func bad(r check.Result) bool { return r.Status != check.Pass && r.Status != check.Skip }

// detail says what is to be done about a result.
func detail(w *strings.Builder, style Style, r check.Result, wide bool) {
	if wide {
		background(w, style, r)
	}
	w.WriteString(Fix(r.Fix, "    "))
	if wide && r.Docs != "" {
		fmt.Fprintf(w, "    %s\n", style.paint(faint, r.Docs))
	}
}

// summed are a cluster's passed checks, one line a category, and how many were skipped for which reason.
func summed(style Style, results []check.Result, width int) string {
	w := &strings.Builder{}
	passed := map[check.Category]int{}
	needed, idle := map[string]int{}, 0
	for _, r := range results {
		switch {
		case r.Status == check.Pass:
			passed[r.Category]++
		case r.Status == check.Skip && r.Needs != "":
			needed[ground(results, r)]++
		case r.Status == check.Skip:
			idle++
		}
	}
	symbol, colour := symbolOf(check.Pass)
	for _, category := range check.Categories() {
		if n := passed[category]; n > 0 {
			fmt.Fprintf(w, "  %s %s%s\n", style.paint(colour, symbol), pad(string(category), width), count(n, "check"))
		}
	}
	symbol, colour = symbolOf(check.Skip)
	for _, need := range slices.Sorted(maps.Keys(needed)) {
		fmt.Fprintf(w, "  %s %s%s (needs %s)\n", style.paint(colour, symbol), pad("skipped", width), count(needed[need], "check"), need)
	}
	if idle > 0 {
		fmt.Fprintf(w, "  %s %s%s (nothing to judge)\n", style.paint(colour, symbol), pad("skipped", width), count(idle, "check"))
	}
	return w.String()
}

// ground is the check at the root of a skipped one: that which it needs may be skipped for another.
func ground(results []check.Result, r check.Result) string {
	need := r.Needs
	for range results { // as many as there are at most
		i := slices.IndexFunc(results, func(other check.Result) bool { return other.ID == need })
		if i < 0 || results[i].Needs == "" {
			break
		}
		need = results[i].Needs
	}
	return need
}

// verdict is the last line: how many clusters passed, and which did not.
func verdict(style Style, order []string, byCluster map[string][]check.Result) string {
	names := map[check.Status][]string{}
	worst := []check.Result{}
	for _, cluster := range order {
		one := status.Worst(byCluster[cluster])
		names[one] = append(names[one], cluster)
		worst = append(worst, check.Result{Status: one})
	}
	symbol, colour := symbolOf(check.Worst(worst))
	parts := []string{fmt.Sprintf("%d of %s passed", len(names[check.Pass])+len(names[check.Warn]), count(len(order), "cluster"))}
	for _, worse := range []struct {
		status check.Status
		called string
	}{{check.Fail, "failed"}, {check.Unknown, "unknown"}, {check.Warn, "with warnings"}} {
		if len(names[worse.status]) > 0 {
			parts = append(parts, strings.Join(names[worse.status], ", ")+" "+worse.called)
		}
	}
	return style.paint(colour, symbol) + " " + strings.Join(parts, "; ")
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
