package cmd

import (
	"cmp"
	"context"

	"github.com/spf13/cobra"
	"k8s.io/kubectl/pkg/util/templates"

	"github.com/kubectl-mesh/kubectl-mesh/pkg/check"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/mesh"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/plan"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/probe"
)

type preflight struct {
	judging
	servers []string
}

func newPreflight(o *options) *cobra.Command {
	p := &preflight{judging: judging{options: o, command: "preflight"}}
	p.judge = p.examine
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
		ValidArgsFunction: p.completeClusters,
		RunE:              func(c *cobra.Command, args []string) error { return p.run(c.Context(), args) },
	}
	f := c.Flags()
	f.StringVar(&o.revision, "revision", "", "The control plane's revision")
	f.StringArrayVar(&p.servers, "remote-server", nil, "Address by which the primary reaches a remote's API server, as URL or NAME=URL (default: the kubeconfig's)")
	p.addFlags(c)
	return c
}

func (p *preflight) run(ctx context.Context, args []string) error {
	if err := p.validate(); err != nil {
		return err
	}
	return p.tell(ctx, args)
}

// validate finds wrong usage before any cluster is called.
func (p *preflight) validate() error {
	if err := p.validateOutput(outputs(), ""); err != nil {
		return err
	}
	if err := p.judging.validate(); err != nil {
		return err
	}
	return p.validateAsked(check.For(p.command))
}

// examine looks at clusters that are to become a mesh, and judges them.
func (p *preflight) examine(ctx context.Context, args []string) (verdict, error) {
	m, err := p.newMesh(args)
	if err != nil {
		return verdict{}, err
	}
	if err := (&attachRemote{options: p.options, servers: p.servers}).addServers(m.Clusters); err != nil {
		return verdict{}, err
	}
	s, err := p.lookFor(ctx, m, []plan.Stage{plan.InstallPrimary, plan.ExposeIstiod, plan.AttachRemote}, lookAtObstacles, acquaintance{})
	if err != nil {
		return verdict{}, err
	}
	if seen := s.snapshot.Clusters[plan.PrimaryKey]; seen != nil && len(seen.ControlPlanes) == 0 {
		// As install-primary would name it, which wants --cluster-name where the context has nothing that a name is made of.
		s.mesh.Clusters[0].Name = cmp.Or(mesh.ClusterName(s.mesh.Clusters[0].Context), "primary")
	}
	if err := s.complete(); err != nil {
		return verdict{}, err
	}
	probe.Clocks(ctx, s.clusters, s.snapshot)
	if err := cancelled(ctx); err != nil {
		return verdict{}, err
	}
	return verdict{Results: check.Preflight(s.mesh, s.snapshot, p.supported(), p.caller)}, nil
}
