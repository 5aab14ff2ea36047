package cmd

import (
	"context"
	"time"

	"github.com/spf13/cobra"
	"k8s.io/kubectl/pkg/util/templates"

	"github.com/kubectl-mesh/kubectl-mesh/pkg/check"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/mesh"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/plan"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/probe"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/report"
)

type preflight struct {
	*options
	output   string
	patience time.Duration
	servers  []string
}

func newPreflight(o *options) *cobra.Command {
	p := &preflight{options: o}
	c := &cobra.Command{
		Use:   "preflight [CONTEXT|NAME=CONTEXT ...]",
		Short: "Check clusters before they become a mesh",
		Long: long(`
			Look at the cluster of --context, which is to be the primary, and at those that are to be its remotes, and
			name what stands in the way: versions, permissions, names that are taken, pod ranges that overlap, a load
			balancer that is missing, pod security that forbids sidecars. Nothing is written.

			Exit codes: 0 nothing is in the way (or only warnings), 1 something is, 2 wrong usage, 3 something could
			not be looked at.`),
		Example: templates.Examples(`
			# May west become a remote of east?
			kubectl mesh preflight west --context east

			# For a script
			kubectl mesh preflight west south --context east -o json`),
		RunE: func(c *cobra.Command, args []string) error { return p.run(c.Context(), args) },
	}
	f := c.Flags()
	f.DurationVar(&p.patience, "timeout", time.Minute, "How long the whole command may take")
	f.StringVar(&o.revision, "revision", "", "The control plane's revision")
	f.StringArrayVar(&p.servers, "server", nil, "Address by which the primary reaches a remote's API server, as URL or NAME=URL (default: the kubeconfig's)")
	f.StringVarP(&p.output, "output", "o", "", "json, for programs")
	return c
}

func (p *preflight) run(ctx context.Context, args []string) error {
	ctx, cancel := bounded(ctx, p.patience)
	defer cancel()
	if p.output != "" && p.output != "json" {
		return usage("--output %q is not json", p.output)
	}
	m, err := p.newMesh(args)
	if err != nil {
		return err
	}
	if err := (&attachRemote{options: p.options, servers: p.servers}).addServers(m.Clusters); err != nil {
		return err
	}
	s, err := p.lookFor(ctx, m, []plan.Stage{plan.InstallPrimary, plan.ExposeIstiod, plan.AttachRemote}, lookAtObstacles, nil)
	if err != nil {
		return err
	}
	if seen := s.snapshot.Clusters[plan.PrimaryKey]; seen != nil && len(seen.ControlPlanes) == 0 {
		s.mesh.Clusters[0].Name = mesh.ClusterName(s.mesh.Clusters[0].Context) // as install-primary would name it
	}
	if err := s.complete(); err != nil {
		return err
	}
	probe.Clocks(ctx, s.clusters, s.snapshot)
	results := check.Preflight(s.mesh, s.snapshot, p.supported())
	if p.output == "json" {
		err = report.JSON(p.Out, verdict{Results: results})
	} else {
		err = report.Checks(p.Out, p.outStyle(), results)
	}
	if err != nil {
		return err
	}
	return exitOf(check.Worst(results))
}

// exitOf gives a judgement its exit code.
func exitOf(worst check.Status) error {
	switch worst {
	case check.Fail:
		return &exitError{code: ExitFailed}
	case check.Unknown:
		return &exitError{code: ExitUnknown}
	}
	return nil
}
