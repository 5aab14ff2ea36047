package cmd

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"k8s.io/kubectl/pkg/util/templates"

	"github.com/kubectl-mesh/kubectl-mesh/pkg/check"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/probe"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/report"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/status"
)

// showing is what the commands that show a mesh share.
type showing struct {
	*options
	output   string
	patience time.Duration
	// sumUp looks at the mesh and sums it up; tests put something else in.
	sumUp func(ctx context.Context, args []string) (status.Mesh, error)
	// now is the clock to which ages are reckoned.
	now func() time.Time
}

func newShowing(o *options) *showing {
	s := &showing{options: o, now: time.Now}
	s.sumUp = s.examine
	return s
}

// examine looks at the mesh as verify does, and sums it up.
func (s *showing) examine(ctx context.Context, args []string) (status.Mesh, error) {
	ctx, cancel := bounded(ctx, s.patience)
	defer cancel()
	seen, err := s.lookAtMesh(ctx, args, func(*session, probe.Target) error { return nil })
	if err != nil {
		return status.Mesh{}, interruption(err)
	}
	return status.Of(seen.mesh, seen.snapshot, check.Verify(seen.mesh, seen.snapshot, s.supported(), s.caller)), nil
}

// addFlags adds those that say what is shown, and in which of the forms.
func (s *showing) addFlags(c *cobra.Command, forms []string, described string) {
	f := c.Flags()
	f.StringVar(&s.revision, "revision", "", "The control plane's revision")
	durationVar(f, &s.patience, "timeout", time.Minute, "How long the whole command may take")
	f.StringVarP(&s.output, "output", "o", "", described)
	mustComplete(c, map[string]cobra.CompletionFunc{"output": completeList(forms)})
}

func (s *showing) validateOutput(forms []string) error {
	if s.output != "" && !slices.Contains(forms, s.output) {
		return usage("--output %q is none of %s", s.output, strings.Join(forms, ", "))
	}
	return nil
}

func statusForms() []string { return []string{"wide", "json", "yaml", "name"} }

func newStatus(o *options) *cobra.Command {
	s := newShowing(o)
	c := &cobra.Command{
		Use:   "status [CONTEXT|NAME=CONTEXT ...]",
		Short: "Show a mesh on one screen",
		Long: long(`
			Show the mesh whose primary is --context: its clusters with their releases, networks and gateways, what each
			istiod has read of the remotes, how old the credentials are, and what is not well. The remotes are found from
			the primary's remote secrets; naming contexts narrows it to those.

			It judges as verify does, without traffic, but its exit code does not: that is 0 whenever the primary could
			be read, and 3 when it could not. For scripts that are to stop at what is broken, there is verify.`),
		Example: templates.Examples(`
			# The mesh whose primary is east
			kubectl mesh status --context east

			# With addresses, and with the cure for what is not well
			kubectl mesh status --context east -o wide

			# The clusters' names
			kubectl mesh status --context east -o name

			# Whose credentials are from before this year?
			kubectl mesh status --context east -o json |
			  jq -r '.clusters[] | select(.credentials.created < "2026") | .name'`),
		ValidArgsFunction: o.completeRemotes,
		RunE: func(c *cobra.Command, args []string) error {
			return s.runStatus(c.Context(), args)
		},
	}
	s.addFlags(c, statusForms(), "One of "+strings.Join(statusForms(), ", "))
	return c
}

func (s *showing) runStatus(ctx context.Context, args []string) error {
	return s.show(ctx, args, statusForms(), func(sum status.Mesh) error {
		switch s.output {
		case "json":
			return report.JSON(s.Out, sum)
		case "yaml":
			return report.YAML(s.Out, sum)
		case "name":
			return report.StatusNames(s.Out, sum)
		case "wide":
			return report.StatusWide(s.Out, s.outStyle(), sum, s.now())
		}
		return report.Status(s.Out, s.outStyle(), sum, s.now())
	})
}

// show looks at the mesh and prints it, also where the primary could not be read; the exit code says so then.
func (s *showing) show(ctx context.Context, args, forms []string, write func(status.Mesh) error) error {
	if err := s.validateOutput(forms); err != nil {
		return err
	}
	sum, err := s.sumUp(ctx, args)
	if err != nil {
		return err
	}
	if err := write(sum); err != nil {
		return err
	}
	if sum.Unread != "" {
		return &exitError{ExitUnknown, fmt.Errorf("the primary could not be read: %s", sum.Unread)}
	}
	return nil
}
