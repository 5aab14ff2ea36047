package cmd

import (
	"context"
	"fmt"
	"time"

	"k8s.io/cli-runtime/pkg/genericclioptions"
	"k8s.io/cli-runtime/pkg/genericiooptions"

	"github.com/kubectl-mesh/kubectl-mesh/pkg/app"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/command"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/mesh"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/report"
)

// global is what all commands share: the streams, and the flags that every command takes.
type global struct {
	genericiooptions.IOStreams
	getenv func(string) string
	// kubeconfig are kubectl's flags.
	kubeconfig *genericclioptions.ConfigFlags
	noColour   bool
	verbose    bool
	// caller is what shown commands carry along of this call.
	caller command.Caller
}

// session is that of this call, without what only some commands have.
func (g *global) session() app.Session {
	return app.Session{Kubeconfig: g.kubeconfig, Namespace: *g.kubeconfig.Namespace, Caller: g.caller, Version: Version()}
}

// errStyle is how stderr is written to.
func (g *global) errStyle() report.Style { return report.StyleOf(g.ErrOut, g.noColour, g.getenv) }

// outStyle is how stdout is written to.
func (g *global) outStyle() report.Style { return report.StyleOf(g.Out, g.noColour, g.getenv) }

// progress shows what goes on in clusters on stderr.
func (g *global) progress(clusters []string) *report.Progress {
	return report.NewProgress(g.ErrOut, g.errStyle(), g.verbose, clusters)
}

// narrate shows what goes on in clusters, for work that is no plan: say is told what begins in each, and stop ends it.
func (g *global) narrate(clusters []string) (say func(cluster, what string), stop func()) {
	progress := g.progress(clusters)
	narrator := report.NewNarrator(progress, time.Now)
	progress.Start()
	return narrator.Say, progress.Stop
}

// next is the command that comes next, for the same primary and revision, as a line for a shell.
func (g *global) next(m mesh.Mesh, subcommand string, args ...string) string {
	return report.Plain(g.caller.Mesh(m, subcommand, args...).String())
}

// bounded ends ctx when --timeout has passed.
func bounded(ctx context.Context, timeout time.Duration) (context.Context, context.CancelFunc) {
	return context.WithTimeoutCause(ctx, timeout, fmt.Errorf("--timeout %s has passed", timeout))
}
