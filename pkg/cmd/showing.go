package cmd

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/kubectl-mesh/kubectl-mesh/pkg/status"
)

// showing is what the commands that show a mesh share.
type showing struct {
	global   *global
	timeout  time.Duration
	revision string
	output   string
	// summarize looks at the mesh and sums it up; tests put something else in.
	summarize func(ctx context.Context, args []string) (status.Mesh, error)
	// now is the clock to which ages are reckoned.
	now func() time.Time
}

func newShowing(g *global) *showing {
	s := &showing{global: g, now: time.Now}
	s.summarize = func(ctx context.Context, args []string) (status.Mesh, error) {
		session := g.session()
		session.Revision = s.revision
		return session.Status(ctx, args)
	}
	return s
}

// addFlags adds those that say what is shown, and in which of the forms.
func (s *showing) addFlags(c *cobra.Command, forms []string, described string) {
	f := c.Flags()
	f.StringVar(&s.revision, "revision", "", "The control plane's revision")
	durationVar(f, &s.timeout, "timeout", time.Minute, "How long the whole command may take")
	f.StringVarP(&s.output, "output", "o", "", described)
	mustComplete(c, map[string]cobra.CompletionFunc{"output": completeList(forms)})
}

func (s *showing) validateOutput(forms []string) error {
	if s.output != "" && !slices.Contains(forms, s.output) {
		return usage("--output %q is none of %s", s.output, strings.Join(forms, ", "))
	}
	return nil
}

// show looks at the mesh and prints it, also where the primary could not be read; the exit code says so then.
func (s *showing) show(ctx context.Context, args, forms []string, write func(status.Mesh) error) error {
	if err := s.validateOutput(forms); err != nil {
		return err
	}
	ctx, cancel := bounded(ctx, s.timeout)
	defer cancel()
	sum, err := s.summarize(ctx, args)
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
