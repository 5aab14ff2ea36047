package cmd

import (
	"context"
	"time"

	"github.com/spf13/cobra"
	"k8s.io/kubectl/pkg/util/templates"

	"github.com/kubectl-mesh/kubectl-mesh/pkg/app"
)

type verify struct {
	judging judging

	traffic bool
	image   string
	keep    bool

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

func newVerify(g *global) *cobra.Command {
	v := &verify{judging: judging{global: g, command: "verify"}, ticker: realTicker}
	v.judging.judge = v.judge
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
		ValidArgsFunction: g.completeRemotes,
		RunE:              func(c *cobra.Command, args []string) error { return v.run(c.Context(), args) },
	}
	f := c.Flags()
	f.BoolVar(&v.traffic, "traffic", false, "Send requests from every cluster to every cluster")
	image := "Image of the pods that send the requests"
	if !probePublished {
		image += "; none is published yet: make probe builds the program for one"
	}
	f.StringVar(&v.image, "probe-image", "ghcr.io/kubectl-mesh/mesh-probe:"+Version(), image)
	f.BoolVar(&v.keep, "keep", false, "Leave the pods of --traffic in the clusters, to look at them")
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
	return v.judging.run(ctx, args)
}

// judge looks at the mesh and judges it.
func (v *verify) judge(ctx context.Context, args []string) (app.Verdict, error) {
	request := app.Verify{Remotes: args}
	if v.traffic {
		request.Traffic = &app.TrafficOptions{Image: v.image, Keep: v.keep, Progress: v.judging.global.narrate}
	}
	return v.judging.session().Verify(ctx, request)
}
