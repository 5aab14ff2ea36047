package cmd

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"k8s.io/kubectl/pkg/util/templates"

	"github.com/kubectl-mesh/kubectl-mesh/pkg/check"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/cluster"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/mesh"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/observe"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/probe"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/report"
)

type verify struct {
	*options
	output string
	// patience is --timeout: options.timeout has the default of the commands that write.
	patience time.Duration
	traffic  bool
	probe    probe.Options
}

// callsPerPair is how many calls a probe makes to each cluster in each protocol: enough for a median, and few enough
// to disturb nobody.
const callsPerPair = 10

func newVerify(o *options) *cobra.Command {
	v := &verify{options: o}
	c := &cobra.Command{
		Use:   "verify [CONTEXT|NAME=CONTEXT ...]",
		Short: "Check a mesh, and name what is wrong with it",
		Long: long(`
			Look at the primary of --context and at its remotes, and judge each part that the mesh stands on. The
			remotes are found from the primary's remote secrets, and their contexts by the API servers' addresses;
			naming contexts narrows it to those.

			With --traffic a small pod with a sidecar runs in each cluster for some seconds, in a namespace of its own,
			and calls the others over HTTP, gRPC and TCP. Nothing of it stays.

			Exit codes: 0 all is well (or only warnings), 1 something failed, 2 wrong usage, 3 nothing failed but
			something could not be looked at.`),
		Example: templates.Examples(`
			# Check the mesh whose primary is east
			kubectl mesh verify --context east

			# Prove it with requests from every cluster to every cluster
			kubectl mesh verify --context east --traffic

			# Check one remote, for a script
			kubectl mesh verify west --context east -o json`),
		RunE: func(c *cobra.Command, args []string) error { return v.run(c.Context(), args) },
	}
	f := c.Flags()
	f.DurationVar(&v.patience, "timeout", time.Minute, "How long the whole command may take")
	f.StringVar(&o.revision, "revision", "", "The control plane's revision")
	f.BoolVar(&v.traffic, "traffic", false, "Send requests from every cluster to every cluster")
	f.StringVar(&v.probe.Image, "probe-image", "ghcr.io/kubectl-mesh/mesh-probe:"+Version(), "Image of the pods that send the requests")
	f.BoolVar(&v.probe.Keep, "keep", false, "Leave the pods of --traffic in the clusters, to look at them")
	f.StringVarP(&v.output, "output", "o", "", "json, for programs")
	return c
}

func (v *verify) run(ctx context.Context, args []string) error {
	ctx, cancel := bounded(ctx, v.patience)
	defer cancel()
	if v.output != "" && v.output != "json" {
		return usage("--output %q is not json", v.output)
	}
	m, err := v.newMesh(args)
	if err != nil {
		return err
	}
	if m, err = v.withKnownRemotes(ctx, m); err != nil {
		return err
	}
	s, err := v.look(ctx, m, "", lookDeep)
	if err != nil {
		return err
	}
	if err := s.complete(); err != nil {
		return err
	}
	if primary, found := s.mesh.Primary(); found {
		probe.Live(ctx, s.clusters, s.snapshot, probe.Target{Primary: primary.Name, Namespace: s.mesh.Namespace, Revision: s.mesh.Revision})
	}
	if v.traffic {
		if s.snapshot.Traffic, err = v.probeTraffic(ctx, s); err != nil {
			return interruption(err)
		}
	}
	return v.show(check.Verify(s.mesh, s.snapshot, v.supported()), s.snapshot.Traffic)
}

// probeTraffic puts probes into the clusters that can run them.
func (v *verify) probeTraffic(ctx context.Context, s *session) (*observe.Traffic, error) {
	options := v.probe
	options.Revision, options.Count, options.Settle = s.mesh.Revision, callsPerPair, 20*time.Second
	for _, c := range s.mesh.Clusters {
		if seen := s.snapshot.Clusters[c.Name]; seen != nil && seen.ReadyNodes > 0 {
			options.Clusters = append(options.Clusters, c.Name)
		}
	}
	progress := report.NewProgress(v.ErrOut, v.errStyle(), v.verbose, options.Clusters)
	narrator := report.NewNarrator(progress, time.Now)
	progress.Start()
	defer progress.Stop()
	traffic, err := probe.Run(ctx, s.clusters, options, narrator.Say)
	for _, name := range options.Clusters {
		narrator.Say(name, "")
	}
	return traffic, err
}

// interruption gives an interrupted command its exit code.
func interruption(err error) error {
	if errors.Is(err, context.Canceled) {
		return &exitError{ExitInterrupted, err}
	}
	return err
}

// verdict is what verify prints for programs. docs/checks.md has its schema.
type verdict struct {
	Results []check.Result   `json:"results"`
	Traffic *observe.Traffic `json:"traffic,omitempty"`
}

func (v *verify) show(results []check.Result, traffic *observe.Traffic) error {
	if err := v.print(results, traffic); err != nil {
		return err
	}
	switch check.Worst(results) {
	case check.Fail:
		return &exitError{code: ExitFailed}
	case check.Unknown:
		return &exitError{code: ExitUnknown}
	}
	return nil
}

func (v *verify) print(results []check.Result, traffic *observe.Traffic) error {
	if v.output == "json" {
		return report.JSON(v.Out, verdict{results, traffic})
	}
	if traffic != nil && len(traffic.Calls) > 0 {
		if err := report.Traffic(v.Out, v.outStyle(), traffic); err != nil {
			return err
		}
		if _, err := fmt.Fprintln(v.Out); err != nil {
			return err
		}
	}
	return report.Checks(v.Out, v.outStyle(), results)
}

// withKnownRemotes gives the named remotes the names under which the primary knows them and, when none is named,
// adds all that the primary knows. A remote to which no context leads is added without one. A primary whose secrets
// can't be read leaves the mesh as it is: the checks will say so.
func (v *verify) withKnownRemotes(ctx context.Context, m mesh.Mesh) (mesh.Mesh, error) {
	primary, err := cluster.Connect(v.flags, "", m.Clusters[0].Context, true)
	if err != nil {
		return m, err
	}
	bounded, cancel := context.WithTimeout(ctx, observe.Patience)
	defer cancel()
	secrets, err := observe.RemoteSecrets(bounded, primary, m.Namespace)
	if err != nil || len(secrets) == 0 {
		return m, ctx.Err()
	}
	endpoints, err := cluster.Endpoints(v.flags)
	if err != nil {
		return m, err
	}
	named := m.Clusters[1:]
	all := len(named) == 0
	m.Clusters = slices.Clone(m.Clusters[:1])
	for _, secret := range secrets {
		remote := mesh.Cluster{Name: secret.Cluster, Role: mesh.Remote}
		leads := leadingTo(secret, endpoints)
		switch i := slices.IndexFunc(named, func(c mesh.Cluster) bool {
			return c.Name == secret.Cluster || slices.Contains(leads, c.Context)
		}); {
		case known(m.Clusters, secret.Cluster):
			continue
		case i >= 0:
			remote.Context = named[i].Context
			named = slices.Delete(slices.Clone(named), i, i+1)
		case !all:
			continue
		case len(leads) > 0:
			remote.Context = leads[0]
		}
		m.Clusters = append(m.Clusters, remote)
	}
	m.Clusters = append(m.Clusters, named...)
	return m, nil
}

func known(clusters []mesh.Cluster, name string) bool {
	return slices.ContainsFunc(clusters, func(c mesh.Cluster) bool { return c.Name == name })
}

// leadingTo are the contexts that lead to the cluster of a remote secret: by the API server's address, and where the
// primary was given another one than the user's, by its CA.
func leadingTo(secret observe.RemoteSecret, endpoints []cluster.Endpoint) []string {
	var byServer, byCA []string
	for _, e := range endpoints {
		switch {
		case strings.TrimSuffix(e.Server, "/") == strings.TrimSuffix(secret.Server, "/"):
			byServer = append(byServer, e.Context)
		case secret.CA != "" && observe.Fingerprint(e.CA) == secret.CA:
			byCA = append(byCA, e.Context)
		}
	}
	return append(byServer, byCA...)
}
