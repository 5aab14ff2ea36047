package cmd

import (
	"context"
	"strings"

	"github.com/spf13/cobra"
	"k8s.io/kubectl/pkg/util/templates"

	"github.com/kubectl-mesh/kubectl-mesh/pkg/report"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/status"
)

func graphForms() []string { return []string{"mermaid", "dot", "svg"} }

func newGraph(g *global) *cobra.Command {
	s := newShowing(g)
	c := &cobra.Command{
		Use:   "graph [CONTEXT|NAME=CONTEXT ...]",
		Short: "Draw a mesh",
		Long: long(`
			Draw the mesh whose primary is --context: networks as areas, the clusters in them with their gateways, who
			reads and who serves whom, and which of that is broken. It looks at what status looks at, and its exit code
			is that of status.

			Mermaid is what Markdown pages show, DOT is Graphviz's, and SVG is a picture that needs nothing else.`),
		Example: templates.Examples(`
			# A picture for a browser
			kubectl mesh graph --context east -o svg > mesh.svg

			# For a page in Markdown
			kubectl mesh graph --context east

			# Through Graphviz
			kubectl mesh graph --context east -o dot | dot -Tpng > mesh.png`),
		ValidArgsFunction: g.completeRemotes,
		RunE: func(c *cobra.Command, args []string) error {
			return s.runGraph(c.Context(), args)
		},
	}
	s.addFlags(c, graphForms(), "One of "+strings.Join(graphForms(), ", ")+" (default mermaid)")
	return c
}

func (s *showing) runGraph(ctx context.Context, args []string) error {
	return s.show(ctx, args, graphForms(), func(sum status.Mesh) error {
		switch s.output {
		case "dot":
			return report.DOT(s.global.Out, sum)
		case "svg":
			return report.SVG(s.global.Out, sum, s.now())
		}
		return report.Mermaid(s.global.Out, sum)
	})
}
