package cmd

import (
	"context"
	"strings"

	"github.com/spf13/cobra"
	"k8s.io/kubectl/pkg/util/templates"

	"github.com/kubectl-mesh/kubectl-mesh/pkg/report"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/status"
)

func statusForms() []string { return []string{"wide", "json", "yaml", "name"} }

func newStatus(g *global) *cobra.Command {
	s := newShowing(g)
	c := &cobra.Command{
		Use:   "status [CONTEXT|NAME=CONTEXT ...]",
		Short: "Show a mesh on one screen",
		Long: long(`
			Show the mesh whose primary is --context: its clusters with their releases, networks and gateways, what each
			istiod has read of the remotes, how old the credentials are, and what is not well. The remotes are found from
			the primary's remote secrets; naming contexts narrows it to those.

			It judges as verify does, without traffic, but its exit code does not: that is 0 whenever the primary could
			be read, and 3 when it could not. For scripts that are to stop at what is broken, there is verify.`),
		Example: templates.Examples(`
			# The mesh whose primary is east
			kubectl mesh status --context east

			# With addresses, and with the cure for what is not well
			kubectl mesh status --context east -o wide

			# The clusters' names
			kubectl mesh status --context east -o name

			# Whose credentials are from before this year?
			kubectl mesh status --context east -o json |
			  jq -r '.clusters[] | select(.credentials.created < "2026") | .name'`),
		ValidArgsFunction: g.completeRemotes,
		RunE: func(c *cobra.Command, args []string) error {
			return s.runStatus(c.Context(), args)
		},
	}
	s.addFlags(c, statusForms(), "One of "+strings.Join(statusForms(), ", "))
	return c
}

func (s *showing) runStatus(ctx context.Context, args []string) error {
	return s.show(ctx, args, statusForms(), func(sum status.Mesh) error {
		switch s.output {
		case "json":
			return report.JSON(s.global.Out, sum)
		case "yaml":
			return report.YAML(s.global.Out, sum)
		case "name":
			return report.StatusNames(s.global.Out, sum)
		case "wide":
			return report.StatusWide(s.global.Out, s.global.outStyle(), sum, s.now())
		}
		return report.Status(s.global.Out, s.global.outStyle(), sum, s.now())
	})
}
