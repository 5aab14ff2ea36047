package cmd

import (
	"context"
	"errors"
	"time"

	"github.com/spf13/cobra"
	"k8s.io/kubectl/pkg/util/templates"

	"github.com/kubectl-mesh/kubectl-mesh/pkg/check"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/probe"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/report"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/snapshot"
)

type verify struct {
	judging
	traffic bool
	probe   probe.Options

	list    bool
	explain []string

	// given says whether a flag was.
	given func(flag string) bool

	watch    bool
	interval time.Duration
	// ticker is the clock of --watch; tests put something else in.
	ticker func(time.Duration) (ticks <-chan time.Time, stop func())
}

// probePublished says whether the image that --probe-image has by default can be pulled. As long as it can't, no command
// that is printed relies on it.
const probePublished = false

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
			remotes are found from the primary's remote secrets, and their contexts by the API servers' addresses and the
			clusters' UIDs; naming contexts narrows it to those.

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

			# What does an id mean, and how is it fixed?
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
	image := "Image of the pods that send the requests"
	if !probePublished {
		image += "; none is published yet: make probe builds the program for one"
	}
	f.StringVar(&v.probe.Image, "probe-image", "ghcr.io/kubectl-mesh/mesh-probe:"+Version(), image)
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
	gone := func() error { return nil }
	s, err := v.lookAtMesh(ctx, args, func(s *session, target probe.Target) (err error) {
		if v.traffic {
			s.snapshot.Traffic, gone, err = v.probeTraffic(ctx, s, target)
		}
		return err
	})
	if err != nil {
		return verdict{}, errors.Join(interruption(err), gone())
	}
	return verdict{check.Verify(s.mesh, s.snapshot, v.supported(), v.caller), s.snapshot.Traffic, gone}, nil
}

// probeTraffic puts probes into the clusters that can run them, and begins to remove them; gone waits for that.
func (v *verify) probeTraffic(ctx context.Context, s *session, target probe.Target) (traffic *snapshot.Traffic, gone func() error, err error) {
	options := v.probe
	options.Target, options.Count, options.Settle, options.Caller = target, callsPerPair, 20*time.Second, v.caller
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
