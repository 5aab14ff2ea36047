package report

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/kubectl-mesh/kubectl-mesh/pkg/check"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/status"
)

// area is a network with its clusters.
type area struct {
	name     string
	clusters []status.Cluster
}

// areas are the networks in the clusters' order, the primary's first.
func areas(sum status.Mesh) []area {
	var all []area
	for _, c := range sum.Clusters {
		i := slices.IndexFunc(all, func(a area) bool { return a.name == c.Network })
		if i < 0 {
			i = len(all)
			all = append(all, area{name: c.Network})
		}
		all[i].clusters = append(all[i].clusters, c)
	}
	return all
}

// title is what an area is called.
func (a area) title() string { return cmp.Or(plainLine(a.name), "no network") }

// boxLines are what a cluster's box says below its name.
func boxLines(sum status.Mesh, c status.Cluster) []string {
	lines := []string{string(c.Role)}
	if c.Kubernetes != "" {
		lines = append(lines, "Kubernetes "+c.Kubernetes)
	}
	if len(c.Istio) > 0 {
		lines = append(lines, "Istio "+strings.Join(c.Istio, ", "))
	}
	for _, g := range c.Gateways {
		lines = append(lines, "gateway "+cmp.Or(g.Address, "without address"))
	}
	if s := syncedBy(sum, c); s != "-" {
		lines = append(lines, "read by "+s+" istiods")
	}
	for i := range lines {
		lines[i] = plainLine(lines[i])
	}
	return lines
}

// troublesOf are the ids of what is not well about a cluster, each once.
func troublesOf(c status.Cluster) []string {
	var ids []string
	for _, p := range c.Problems {
		if !slices.Contains(ids, p.ID) {
			ids = append(ids, p.ID)
		}
	}
	return ids
}

// caption is what stands at a link: what it is for and, where it is not well, why.
func caption(l status.Link) string {
	words := map[status.LinkKind]string{status.Reads: "reads", status.Serves: "is served by"}
	if l.Status == check.Pass {
		return words[l.Kind]
	}
	symbol, _ := symbolOf(l.Status)
	return strings.TrimSpace(words[l.Kind] + " " + symbol + " " + strings.Join(l.Because, ", "))
}

// DOT writes the mesh as a graph for Graphviz (https://graphviz.org/doc/info/lang.html).
func DOT(to io.Writer, sum status.Mesh) error {
	w := &strings.Builder{}
	quote := func(text string) string {
		return `"` + strings.ReplaceAll(strings.ReplaceAll(text, `\`, `\\`), `"`, `\"`) + `"`
	}
	fmt.Fprintf(w, "digraph mesh {\n  label=%s; labelloc=t; rankdir=LR; fontname=Helvetica;\n", quote(plainLine("Mesh "+sum.ID)))
	w.WriteString("  node [shape=box, style=\"rounded,filled\", fillcolor=white, fontname=Helvetica];\n  edge [fontname=Helvetica, fontsize=10];\n")
	for i, a := range areas(sum) {
		fmt.Fprintf(w, "  subgraph cluster_%d {\n    label=%s; style=\"rounded,filled\"; fillcolor=\"#eef3fb\"; color=\"#b6c6e3\";\n", i, quote(a.title()))
		for _, c := range a.clusters {
			lines := append([]string{plainLine(c.Name)}, boxLines(sum, c)...)
			lines = append(lines, troublesOf(c)...)
			for j := range lines {
				lines[j] = strings.Trim(quote(lines[j]), `"`)
			}
			fmt.Fprintf(w, "    %s [label=\"%s\", color=%s];\n", quote(plainLine(c.Name)), strings.Join(lines, `\n`), quote(hue(c.Status)))
		}
		w.WriteString("  }\n")
	}
	for _, l := range sum.Links {
		style := "solid"
		if l.Status != check.Pass {
			style = "dashed"
		}
		fmt.Fprintf(w, "  %s -> %s [label=%s, color=%s, style=%s];\n",
			quote(plainLine(l.From)), quote(plainLine(l.To)), quote(caption(l)), quote(hue(l.Status)), style)
	}
	w.WriteString("}\n")
	_, err := io.WriteString(to, w.String())
	return err
}

// hue is the colour of a state, on white.
func hue(s check.Status) string {
	switch s {
	case check.Pass, check.Skip:
		return "#1a7f37"
	case check.Warn, check.Unknown:
		return "#9a6700"
	}
	return "#cf222e"
}

// Mermaid writes the mesh as a flowchart, as Markdown pages show it (https://mermaid.js.org/syntax/flowchart.html).
func Mermaid(to io.Writer, sum status.Mesh) error {
	w := &strings.Builder{}
	w.WriteString("flowchart LR\n")
	ids := map[string]string{}
	number := 0
	for i, a := range areas(sum) {
		fmt.Fprintf(w, "  subgraph network%d[%s]\n", i, mermaidText(a.title()))
		for _, c := range a.clusters {
			// A cluster's name may be a word of the language's own.
			ids[c.Name] = "c" + strconv.Itoa(number)
			number++
			lines := append([]string{plainLine(c.Name)}, boxLines(sum, c)...)
			symbol, _ := symbolOf(c.Status)
			for _, id := range troublesOf(c) {
				lines = append(lines, symbol+" "+id)
			}
			fmt.Fprintf(w, "    %s[%s]:::%s\n", ids[c.Name], mermaidText(lines...), c.Status)
		}
		w.WriteString("  end\n")
	}
	for _, l := range sum.Links {
		arrow := "-->"
		if l.Status != check.Pass {
			arrow = "-.->"
		}
		fmt.Fprintf(w, "  %s %s|%s| %s\n", ids[l.From], arrow, mermaidText(caption(l)), ids[l.To])
	}
	for _, s := range []check.Status{check.Pass, check.Warn, check.Unknown, check.Fail} {
		fmt.Fprintf(w, "  classDef %s stroke:%s,stroke-width:2px\n", s, hue(s))
	}
	_, err := io.WriteString(to, w.String())
	return err
}

// mermaidText quotes lines for Mermaid, which knows entities and a break, and no escapes.
func mermaidText(lines ...string) string {
	escaped := make([]string, len(lines))
	for i, line := range lines {
		escaped[i] = strings.NewReplacer("#", "#35;", `"`, "#quot;", "<", "#lt;", ">", "#gt;", "`", "#96;").Replace(line)
	}
	return `"` + strings.Join(escaped, "<br/>") + `"`
}
