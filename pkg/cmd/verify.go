package cmd

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/spf13/cobra"
	"k8s.io/kubectl/pkg/util/templates"

	"github.com/kubectl-mesh/kubectl-mesh/pkg/check"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/cluster"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/istio"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/mesh"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/observe"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/plan"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/probe"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/report"
)

type verify struct {
	judging
	traffic bool
	probe   probe.Options

	list    bool
	explain []string

	watch    bool
	interval time.Duration
	// ticker is the clock of --watch; tests put something else in.
	ticker func(time.Duration) (ticks <-chan time.Time, stop func())
}

// callsPerPair is how many calls a probe makes to each cluster in each protocol: enough for a median, and few enough
// to disturb nobody.
const callsPerPair = 10

func newVerify(o *options) *cobra.Command {
	v := &verify{judging: judging{options: o, command: "verify"}, ticker: realTicker}
	v.judge = v.examine
	c := &cobra.Command{
		Use:   "verify [CONTEXT|NAME=CONTEXT ...]",
		Short: "Check a mesh, and name what is wrong with it",
		Long: long(`
			Look at the primary of --context and at its remotes, and judge each part that the mesh stands on. The
			remotes are found from the primary's remote secrets, and their contexts by the API servers' addresses;
			naming contexts narrows it to those.

			With --traffic a small pod with a sidecar runs in each cluster for some seconds, in a namespace of its own,
			and calls the others over HTTP, gRPC and TCP. Nothing of it stays.

			A check whose ground is already known to be bad is skipped, so that one cause is named once. --only, --skip
			and --category choose what is shown; where a chosen check was skipped because another failed, the exit code
			says so.

			Exit codes: 0 all is well (or only warnings), 1 something failed, 2 wrong usage, 3 nothing failed but
			something could not be looked at.`),
		Example: templates.Examples(`
			# Check the mesh whose primary is east
			kubectl mesh verify --context east

			# Prove it with requests from every cluster to every cluster
			kubectl mesh verify --context east --traffic

			# What does an id mean, and how is it mended?
			kubectl mesh verify --explain token-expired

			# Check one remote's credentials, for a script
			kubectl mesh verify west --context east --category credentials -o json

			# For a CI system that reads JUnit, with warnings as failures
			kubectl mesh verify --context east -o junit --fail-on=warn

			# Tell of every change until Ctrl-C
			kubectl mesh verify --context east --watch`),
		ValidArgsFunction: v.completeRemotes,
		RunE:              func(c *cobra.Command, args []string) error { return v.run(c.Context(), args) },
	}
	f := c.Flags()
	f.StringVar(&o.revision, "revision", "", "The control plane's revision")
	f.BoolVar(&v.traffic, "traffic", false, "Send requests from every cluster to every cluster")
	f.StringVar(&v.probe.Image, "probe-image", "ghcr.io/kubectl-mesh/mesh-probe:"+Version(), "Image of the pods that send the requests")
	f.BoolVar(&v.probe.Keep, "keep", false, "Leave the pods of --traffic in the clusters, to look at them")
	v.addFlags(c)
	return c
}

func (v *verify) run(ctx context.Context, args []string) error {
	if err := v.validate(args); err != nil {
		return err
	}
	switch {
	case v.list:
		return v.printList()
	case v.explain != nil:
		return v.printExplained()
	case v.watch:
		return v.keepWatching(ctx, args)
	}
	return v.tell(ctx, args)
}

// examine looks at the mesh and judges it.
func (v *verify) examine(ctx context.Context, args []string) (verdict, error) {
	m, err := v.newMesh(args)
	if err != nil {
		return verdict{}, err
	}
	m, met, err := v.withKnownRemotes(ctx, m)
	if err != nil {
		return verdict{}, err
	}
	s, err := v.lookFor(ctx, m, nil, lookDeep, met)
	if err != nil {
		return verdict{}, err
	}
	if len(args) == 0 {
		s.dropNamesakes()
	}
	if err := s.complete(); err != nil {
		return verdict{}, err
	}
	observe.Analyze(ctx, s.snapshot, observe.Analysis{Clusters: s.names(), Namespace: s.mesh.Namespace, Revision: s.mesh.RevisionLabel()})
	gone := func() error { return nil }
	if primary, found := s.mesh.Primary(); found {
		target := probe.Target{Primary: primary.Name, Namespace: s.mesh.Namespace, Revision: s.mesh.Revision}
		var live sync.WaitGroup
		live.Go(func() { probe.Live(ctx, s.clusters, s.snapshot, target) })
		if v.traffic {
			s.snapshot.Traffic, gone, err = v.probeTraffic(ctx, s, target)
		}
		live.Wait()
	}
	if err != nil {
		return verdict{}, errors.Join(interruption(err), gone())
	}
	return verdict{check.Verify(s.mesh, s.snapshot, v.supported()), s.snapshot.Traffic, gone}, nil
}

// probeTraffic puts probes into the clusters that can run them, and begins to remove them; gone waits for that.
func (v *verify) probeTraffic(ctx context.Context, s *session, target probe.Target) (traffic *observe.Traffic, gone func() error, err error) {
	options := v.probe
	options.Target, options.Count, options.Settle = target, callsPerPair, 20*time.Second
	for _, c := range s.mesh.Clusters {
		if seen := s.snapshot.Clusters[c.Name]; seen != nil && seen.Secret == "" && seen.ReadyNodes > 0 {
			options.Clusters = append(options.Clusters, c.Name)
		}
	}
	progress := report.NewProgress(v.ErrOut, v.errStyle(), v.verbose, options.Clusters)
	narrator := report.NewNarrator(progress, time.Now)
	progress.Start()
	traffic, removed, err := probe.Run(ctx, s.clusters, s.snapshot, options, narrator.Say)
	for _, name := range options.Clusters {
		narrator.Say(name, "")
	}
	progress.Stop()
	return traffic, func() error { return v.awaitRemoval(options, removed) }, err
}

// awaitRemoval shows what the command waits for at its end.
func (v *verify) awaitRemoval(options probe.Options, removed func() error) error {
	progress := report.NewProgress(v.ErrOut, v.errStyle(), v.verbose, options.Clusters)
	progress.Start()
	defer progress.Stop()
	if !options.Keep {
		narrator := report.NewNarrator(progress, time.Now)
		for _, name := range options.Clusters {
			narrator.Say(name, "remove the probe")
		}
	}
	return removed()
}

// interruption gives an interrupted command its exit code.
func interruption(err error) error {
	if errors.Is(err, context.Canceled) {
		return &exitError{ExitInterrupted, err}
	}
	return err
}

// withKnownRemotes gives the named remotes the names under which the primary knows them and, when none is named,
// adds all that the primary knows. A remote to which no context leads is added without one, and is met with the
// credentials of its secret. A primary whose secrets can't be read leaves the mesh as it is: the checks will say so.
func (v *verify) withKnownRemotes(ctx context.Context, m mesh.Mesh) (mesh.Mesh, acquaintance, error) {
	primary, err := cluster.Connect(v.flags, plan.PrimaryKey, m.Clusters[0].Context, true)
	if err != nil {
		return m, acquaintance{}, err
	}
	bounded, cancel := context.WithTimeout(ctx, observe.Patience)
	defer cancel()
	secrets, err := istio.RemoteSecrets(bounded, primary.Kube(), m.Namespace)
	met := acquaintance{primary: primary, silent: observe.Silence(bounded, observe.Patience, err), others: cluster.Set{}}
	if err != nil || len(secrets) == 0 {
		return m, met, ctx.Err()
	}
	endpoints, err := cluster.Endpoints(v.flags)
	if err != nil {
		return m, met, err
	}
	named := m.Clusters[1:]
	all := len(named) == 0
	m.Clusters = slices.Clone(m.Clusters[:1])
	for _, held := range secrets {
		secret := observe.RemoteSecretOf(held)
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
		case secret.Server == "":
			remote.Context = namesake(secret.Cluster, endpoints) // a secret that says nothing of its cluster
		}
		if remote.Context == "" && held.Usable() {
			// What is wrong with credentials of which no client can be made, the probe finds, too.
			if connected, err := cluster.ConnectWith(v.flags, remote.Name, held.Secret, held.Config()); err == nil {
				met.others[remote.Name] = connected
			}
		}
		m.Clusters = append(m.Clusters, remote)
	}
	m.Clusters = append(m.Clusters, named...)
	return m, met, nil
}

// dropNamesakes takes the remotes of secrets under the primary's own name, which istiod ignores, out of the mesh;
// name-duplicate tells of the secrets.
func (s *session) dropNamesakes() {
	seen := s.snapshot.Clusters[plan.PrimaryKey]
	if seen == nil {
		return
	}
	for _, plane := range seen.ControlPlanes {
		s.mesh.Clusters = slices.DeleteFunc(slices.Clone(s.mesh.Clusters), func(c mesh.Cluster) bool {
			return c.Role == mesh.Remote && c.Name == plane.ClusterID
		})
		if plane.ClusterID != plan.PrimaryKey {
			delete(s.clusters, plane.ClusterID)
			delete(s.snapshot.Clusters, plane.ClusterID)
		}
	}
}

// namesake is the context after which a cluster is named as attach-remote would name it.
func namesake(name string, endpoints []cluster.Endpoint) string {
	for _, e := range endpoints {
		if mesh.ClusterName(e.Context) == name {
			return e.Context
		}
	}
	return ""
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
