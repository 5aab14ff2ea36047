// Command kubectl-mesh builds and checks Istio meshes of several clusters; kubectl runs it as `kubectl mesh`.
package main

import (
	"context"
	"io"
	"os"
	"os/signal"
	"syscall"

	"k8s.io/cli-runtime/pkg/genericiooptions"
	_ "k8s.io/client-go/plugin/pkg/client/auth" // kubeconfigs may ask for any of the providers
	"k8s.io/klog/v2"

	_ "github.com/kubectl-mesh/kubectl-mesh/cmd/kubectl-mesh/startup"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/cmd"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/istio"
)

func main() { os.Exit(run()) }

func run() int {
	silenceLibraries()
	ctx, stop := untilSignal(context.Background())
	defer stop()
	streams := genericiooptions.IOStreams{In: os.Stdin, Out: os.Stdout, ErrOut: os.Stderr}
	return cmd.Main(ctx, os.Args, streams)
}

// untilSignal is a context that a signal ends, so that the work ends in good order; a second one ends the program. A SIGHUP
// does neither twice: the kernel and the shell each send one when a terminal is closed. Under nohup it does nothing.
func untilSignal(parent context.Context) (context.Context, context.CancelFunc) {
	ending, kept := []os.Signal{os.Interrupt, syscall.SIGTERM}, []os.Signal{syscall.SIGPIPE}
	if !signal.Ignored(syscall.SIGHUP) {
		ending, kept = append(ending, syscall.SIGHUP), append(kept, syscall.SIGHUP)
	}
	// With a handler for SIGPIPE, a write to a pipe that nobody reads fails instead of ending the program; cmd.Main sees that.
	// It is not ignored, which the programs that are started from here would inherit.
	signal.Notify(make(chan os.Signal, 1), kept...)
	ctx, stop := signal.NotifyContext(parent, ending...)
	context.AfterFunc(ctx, stop)
	return ctx, stop
}

// silenceLibraries keeps what libraries log out of the commands' output; what matters comes back as an error.
func silenceLibraries() {
	istio.Quiet()
	klog.LogToStderr(false)
	klog.SetOutput(io.Discard)
}
