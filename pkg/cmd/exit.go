package cmd

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/kubectl-mesh/kubectl-mesh/pkg/app"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/report"
)

// Exit codes, as documented for scripts.
const (
	ExitOK          = 0
	ExitFailed      = 1
	ExitUsage       = 2
	ExitUnknown     = 3
	ExitInterrupted = 130
	// ExitUnread is what shells make of SIGPIPE.
	ExitUnread = 141
)

// exitError carries an exit code with an error; a nil error means that all has been said.
type exitError struct {
	code int
	err  error
}

func (e *exitError) Error() string {
	if e.err == nil {
		return ""
	}
	return e.err.Error()
}

func (e *exitError) Unwrap() error { return e.err }

func usage(format string, args ...any) error {
	return &exitError{ExitUsage, fmt.Errorf(format, args...)}
}

// exitCode says what a command ended with, and returns its exit code.
func exitCode(ctx context.Context, err error, errOut io.Writer) int {
	if err == nil {
		return ExitOK
	}
	if text := errorText(err); text != "" {
		fmt.Fprintln(errOut, "error:", report.Plain(text))
	}
	exit, coded := errors.AsType[*exitError](err)
	_, wrong := errors.AsType[*app.UsageError](err)
	switch {
	case coded:
		return exit.code
	case wrong:
		return ExitUsage
	case ctx.Err() != nil:
		return ExitInterrupted
	}
	return ExitFailed
}

// errorText is an error for a person to read: with what to do, where that is known.
func errorText(err error) string {
	if refused, is := errors.AsType[*app.RefusedError](err); is {
		return report.Refusal(refused.Causes)
	}
	return err.Error()
}
