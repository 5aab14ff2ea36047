package cmd

import (
	"context"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/kubectl-mesh/kubectl-mesh/pkg/plan"
)

// A question that nobody answers ends with the command.
func TestReadLineEndsWithTheCommand(t *testing.T) {
	t.Parallel()
	in, writer := io.Pipe()
	defer writer.Close()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if text, err := readLine(ctx, in); !errors.Is(err, context.Canceled) {
		t.Errorf("got %q, %v", text, err)
	}
	if text, err := readLine(t.Context(), strings.NewReader("yes\n")); text != "yes\n" || err != nil {
		t.Errorf("got %q, %v", text, err)
	}
}

// Whoever confirms is told what is written, and what may be.
func TestAnnounced(t *testing.T) {
	t.Parallel()
	steps := []plan.Step{
		{Cluster: "east", Title: "Wait until every istiod has read west", MayAlso: "Restart istiod", Action: plan.AwaitSynced{}},
		{Cluster: "west", Title: "Create namespace istio-system", Action: plan.ApplyNamespace{}},
		{Cluster: "west", Title: "Wait for the account's token", Action: plan.AwaitToken{}},
		{Cluster: "east", Title: "Wait until every istiod has read south", MayAlso: "Restart istiod", Action: plan.AwaitSynced{}},
	}
	if got, want := announced(steps), []string{"west  Create namespace istio-system", "east  Restart istiod"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}
