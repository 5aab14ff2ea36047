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
	var heads [][]string
	var categories []string
	for _, r := range results {
		if full(r) {
			heads = append(heads, head(style, r, wide))
		}
		categories = append(categories, item(style, r.Status, string(r.Category)))
	}
	inFull, summary := columnsFor(2, heads...), columnsFor(2, column(categories)...)
	for _, cluster := range order {
		fmt.Fprintln(w, style.paint(bold, cluster))
		for _, r := range byCluster[cluster] {
			if !full(r) {
				continue
			}
			fmt.Fprintln(w, inFull.paragraph(style.Width, append(head(style, r, wide), r.Seen)...))
			if bad(r) {
				detail(w, style, r, wide)
			}
		}
		if !wide {
			w.WriteString(summed(style, byCluster[cluster], summary))
		}
	}
	if len(order) > 0 {
		fmt.Fprintln(w)
	}
	if ids := troubles(results); len(ids) > 0 && !wide {
		line := "More about it: kubectl mesh verify --explain " + strings.Join(ids, ",")
		if widthOf(line) > style.Width {
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

// item is the beginning of a line about something that has a status.
func item(style Style, status check.Status, name string) string {
	return "  " + style.symbol(status) + " " + name
}

// head are the cells of a result before what was seen.
func head(style Style, r check.Result, wide bool) []string {
	cells := []string{item(style, r.Status, r.ID)}
	if wide {
		cells = append(cells, string(r.Category))
	}
	return cells
}

// bad is true for what is shown in full.
func bad(r check.Result) bool { return r.Status != check.Pass && r.Status != check.Skip }

// detail says what is to be done about a result.
func detail(w *strings.Builder, style Style, r check.Result, wide bool) {
	if wide {
		writeReason(w, style, r)
	}
	w.WriteString(Fix(r.Fix, "    "))
	if wide && r.Docs != "" {
		fmt.Fprintf(w, "    %s\n", style.paint(faint, r.Docs))
	}
}

// summed are a cluster's passed checks, one line a category, and how many were skipped for which reason.
func summed(style Style, results []check.Result, layout columns) string {
	w := &strings.Builder{}
	passed := map[check.Category]int{}
	needed, idle := map[string]int{}, 0
	for _, r := range results {
		switch {
		case r.Status == check.Pass:
			passed[r.Category]++
		case r.Status == check.Skip && r.Needs != "":
			needed[rootCause(results, r)]++
		case r.Status == check.Skip:
			idle++
		}
	}
	for _, category := range check.Categories() {
		if n := passed[category]; n > 0 {
			fmt.Fprintln(w, layout.line(item(style, check.Pass, string(category)), count(n, "check")))
		}
	}
	skipped := item(style, check.Skip, "skipped")
	for _, need := range slices.Sorted(maps.Keys(needed)) {
		fmt.Fprintln(w, layout.line(skipped, fmt.Sprintf("%s (needs %s)", count(needed[need], "check"), need)))
	}
	if idle > 0 {
		fmt.Fprintln(w, layout.line(skipped, count(idle, "check")+" (nothing to judge)"))
	}
	return w.String()
}

// rootCause is the check at the root of a skipped one: that which it needs may be skipped for another.
func rootCause(results []check.Result, r check.Result) string {
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
	parts := []string{fmt.Sprintf("%d of %s passed", len(names[check.Pass])+len(names[check.Warn]), count(len(order), "cluster"))}
	for _, worse := range []struct {
		status check.Status
		called string
	}{{check.Fail, "failed"}, {check.Unknown, "unknown"}, {check.Warn, "with warnings"}} {
		if len(names[worse.status]) > 0 {
			parts = append(parts, strings.Join(names[worse.status], ", ")+" "+worse.called)
		}
	}
	return style.symbol(check.Worst(worst)) + " " + strings.Join(parts, "; ")
}

// writeReason writes what should have been, and why it matters.
func writeReason(w io.Writer, style Style, r check.Result) {
	if r.Title != "" {
		fmt.Fprintf(w, "    expected: %s\n", hang(r.Title, style.Width, 14))
	}
	// What could not be looked at may be well, so it is not said why a failure would matter.
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
