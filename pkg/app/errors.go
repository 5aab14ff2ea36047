package app

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/kubectl-mesh/kubectl-mesh/pkg/check"
)

// UsageError says what is wrong with what the user gave.
type UsageError struct{ Err error }

func (e *UsageError) Error() string { return e.Err.Error() }

// Unwrap is the reason.
func (e *UsageError) Unwrap() error { return e.Err }

func usage(format string, args ...any) error {
	return &UsageError{fmt.Errorf(format, args...)}
}

// RefusedError says why a command does not write.
type RefusedError struct {
	// Causes are the results of the checks that stand in its way.
	Causes []check.Result
}

func (e *RefusedError) Error() string {
	var lines []string
	for _, r := range e.Causes {
		lines = append(lines, fmt.Sprintf("%s: %s (%s)", r.Cluster, r.Seen, r.ID))
	}
	return strings.Join(append(lines, "Nothing was written"), "\n")
}

// cancelled is an error where a signal has ended the look: what is missing then says nothing of the clusters.
func cancelled(ctx context.Context) error {
	if errors.Is(ctx.Err(), context.Canceled) {
		return fmt.Errorf("interrupted while looking at the clusters; nothing was judged: %w", ctx.Err())
	}
	return nil
}
