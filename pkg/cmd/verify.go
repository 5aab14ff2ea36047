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
	"github.com/kubectl-mesh/kubectl-mesh/pkg/plan"
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

	choice  check.Choice
	failOn  string
	list    bool
	explain []string

	watch    bool
	interval time.Duration

	// What tests put something else in for.
	judge  func(ctx context.Context, args []string) (verdict, error)
	ticker func(time.Duration) (ticks <-chan time.Time, stop func())
}

// callsPerPair is how many calls a probe makes to each cluster in each protocol: enough for a median, and few enough
// to disturb nobody.
const callsPerPair = 10

func newVerify(o *options) *cobra.Command {
	v := &verify{options: o, ticker: realTicker}
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
		RunE: func(c *cobra.Command, args []string) error { return v.run(c.Context(), args) },
	}
	f := c.Flags()
	f.DurationVar(&v.patience, "timeout", time.Minute, "How long the whole command may take; with --watch, each judgement")
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
	found, err := v.judgeOnce(ctx, args)
	if err != nil {
		return err
	}
	chosen, grounds := v.choice.Results(found.Results)
	if err := v.print(verdict{chosen, found.Traffic}); err != nil {
		return err
	}
	v.remark(chosen, grounds)
	return v.exit(slices.Concat(chosen, grounds))
}

// judgeOnce judges once, within --timeout.
func (v *verify) judgeOnce(ctx context.Context, args []string) (verdict, error) {
	ctx, cancel := bounded(ctx, v.patience)
	defer cancel()
	return v.judge(ctx, args)
}

// examine looks at the mesh and judges it.
func (v *verify) examine(ctx context.Context, args []string) (verdict, error) {
	m, err := v.newMesh(args)
	if err != nil {
		return verdict{}, err
	}
	if m, err = v.withKnownRemotes(ctx, m); err != nil {
		return verdict{}, err
	}
	s, err := v.look(ctx, m, "", lookDeep)
	if err != nil {
		return verdict{}, err
	}
	if len(args) == 0 {
		s.dropNamesakes()
	}
	if err := s.complete(); err != nil {
		return verdict{}, err
	}
	if primary, found := s.mesh.Primary(); found {
		probe.Live(ctx, s.clusters, s.snapshot, probe.Target{Primary: primary.Name, Namespace: s.mesh.Namespace, Revision: s.mesh.Revision})
	}
	if v.traffic {
		if s.snapshot.Traffic, err = v.probeTraffic(ctx, s); err != nil {
			return verdict{}, interruption(err)
		}
	}
	return verdict{check.Verify(s.mesh, s.snapshot, v.supported()), s.snapshot.Traffic}, nil
}

// probeTraffic puts probes into the clusters that can run them.
func (v *verify) probeTraffic(ctx context.Context, s *session) (*observe.Traffic, error) {
	options := v.probe
	primary, _ := s.mesh.Primary()
	options.Primary = primary.Name
	options.Revision, options.Count, options.Settle = s.mesh.Revision, callsPerPair, 10*time.Second
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

func (v *verify) print(found verdict) error {
	switch v.output {
	case "json":
		return report.JSON(v.Out, found)
	case "yaml":
		return report.YAML(v.Out, found)
	case "junit":
		return report.JUnit(v.Out, found.Results, v.failOn == string(check.Warn))
	case "name":
		return report.Names(v.Out, found.Results)
	}
	if found.Traffic != nil && len(found.Traffic.Calls) > 0 {
		if err := report.Traffic(v.Out, v.outStyle(), found.Traffic); err != nil {
			return err
		}
		if _, err := fmt.Fprintln(v.Out); err != nil {
			return err
		}
	}
	if v.output == "wide" {
		return report.ChecksWide(v.Out, v.outStyle(), found.Results)
	}
	return report.Checks(v.Out, v.outStyle(), found.Results)
}

// remark says on stderr what the chosen results alone do not: that there are none, or what stands in their way.
func (v *verify) remark(chosen, grounds []check.Result) {
	if len(chosen)+len(grounds) == 0 {
		fmt.Fprintln(v.ErrOut, "The chosen checks do not apply to this mesh.")
	}
	for _, r := range grounds {
		switch r.Status {
		case check.Fail:
			fmt.Fprintf(v.ErrOut, "%s: %s, which a chosen check needs, failed: %s\n", r.Cluster, r.ID, r.Seen)
		case check.Unknown:
			fmt.Fprintf(v.ErrOut, "%s: %s, which a chosen check needs, is unknown: %s\n", r.Cluster, r.ID, r.Seen)
		}
	}
}

// exit gives a judgement its exit code, by --fail-on.
func (v *verify) exit(results []check.Result) error {
	if v.failOn == string(check.Warn) && slices.ContainsFunc(results, func(r check.Result) bool { return r.Status == check.Warn }) {
		return &exitError{code: ExitFailed}
	}
	return exitOf(check.Worst(results))
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
		case secret.Server == "":
			remote.Context = namesake(secret.Cluster, endpoints) // a secret that says nothing of its cluster
		}
		m.Clusters = append(m.Clusters, remote)
	}
	m.Clusters = append(m.Clusters, named...)
	return m, nil
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
