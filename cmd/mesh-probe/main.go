// Command mesh-probe is what `kubectl mesh verify --traffic` runs for a moment in each cluster.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/kubectl-mesh/kubectl-mesh/pkg/probe/echo"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := echo.Serve(ctx, echo.Answer{Cluster: os.Getenv("CLUSTER"), Pod: os.Getenv("POD")})
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
}
