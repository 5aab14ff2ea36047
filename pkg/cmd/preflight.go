package cmd

import (
	"context"

	"github.com/spf13/cobra"
	"k8s.io/kubectl/pkg/util/templates"

	"github.com/kubectl-mesh/kubectl-mesh/pkg/app"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/check"
)

type preflight struct {
	judging judging
	servers []string
}

func newPreflight(g *global) *cobra.Command {
	p := &preflight{judging: judging{global: g, command: "preflight"}}
	p.judging.judge = func(ctx context.Context, args []string) (app.Verdict, error) {
		return p.judging.session().Preflight(ctx, app.Preflight{Remotes: args, Servers: p.servers})
	}
	c := &cobra.Command{
		Use:   "preflight [CONTEXT|NAME=CONTEXT ...]",
		Short: "Check clusters before they become a mesh",
		Long: long(`
			Look at the cluster of --context, which is to be the primary, and at those that are to be its remotes, and
			name what stands in the way: versions, permissions, names that are taken, pod ranges that overlap, a load
			balancer that is missing, pod security that forbids sidecars. Nothing is written.

			Exit codes: 0 nothing is in the way (or only warnings), 1 something is, 2 wrong usage, 3 something could
			not be looked at. --fail-on=warn makes warnings failures.`),
		Example: templates.Examples(`
			# May west become a remote of east?
			kubectl mesh preflight west --context east

			# For a script
			kubectl mesh preflight west south --context east -o json

			# For a CI system, with warnings as failures, and without the load balancer that will come later
			kubectl mesh preflight west --context east -o junit --fail-on=warn --skip load-balancer

			# May I do what the commands would do?
			kubectl mesh preflight west --context east --only permission`),
		ValidArgsFunction: g.completeClusters,
		RunE:              func(c *cobra.Command, args []string) error { return p.run(c.Context(), args) },
	}
	p.judging.addFlags(c)
	c.Flags().StringArrayVar(&p.servers, "remote-server", nil, "Address by which the primary reaches a remote's API server, as URL or NAME=URL (default: the kubeconfig's)")
	return c
}

func (p *preflight) run(ctx context.Context, args []string) error {
	if err := p.validate(); err != nil {
		return err
	}
	return p.judging.run(ctx, args)
}

// validate finds wrong usage before any cluster is called.
func (p *preflight) validate() error {
	if err := p.judging.validateOutput(outputs(), ""); err != nil {
		return err
	}
	if err := p.judging.validateFlags(); err != nil {
		return err
	}
	return p.judging.validateAsked(check.For(p.judging.command))
}
