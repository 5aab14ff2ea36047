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

	"github.com/kubectl-mesh/kubectl-mesh/pkg/cmd"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/istio"
)

func main() { os.Exit(run()) }

func run() int {
	silenceLibraries()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	defer stop()
	// The first signal ends the work in good order; with the handler gone, a second one ends the program.
	context.AfterFunc(ctx, stop)
	streams := genericiooptions.IOStreams{In: os.Stdin, Out: os.Stdout, ErrOut: os.Stderr}
	return cmd.Main(ctx, os.Args, streams)
}

// silenceLibraries keeps what libraries log out of the commands' output; what matters comes back as an error.
func silenceLibraries() {
	istio.Quiet()
	klog.LogToStderr(false)
	klog.SetOutput(io.Discard)
}
