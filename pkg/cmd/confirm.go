package cmd

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"golang.org/x/term"

	"github.com/kubectl-mesh/kubectl-mesh/pkg/plan"
)

// ask shows what would be written and asks, on a terminal and without --yes.
func (w *writing) ask(ctx context.Context, steps []plan.Step) error {
	in, isFile := w.global.In.(*os.File)
	if w.yes || !isFile || !term.IsTerminal(int(in.Fd())) {
		return nil
	}
	fmt.Fprintln(w.global.ErrOut, "This will be done, where it is not done already:")
	for _, line := range announced(steps) {
		fmt.Fprintln(w.global.ErrOut, "  "+line)
	}
	fmt.Fprint(w.global.ErrOut, "Continue? [y/N] ")
	answer, err := readLine(ctx, w.global.In)
	if err != nil && !errors.Is(err, io.EOF) {
		return fmt.Errorf("nothing was written, since there is no answer: %w", err)
	}
	if answer = strings.ToLower(strings.TrimSpace(answer)); answer != "y" && answer != "yes" {
		return &exitError{ExitFailed, errors.New("nothing was written: not confirmed")}
	}
	return nil
}

// readLine reads a line, or ends with ctx: a signal then ends the command at once, though nobody has typed anything.
func readLine(ctx context.Context, in io.Reader) (string, error) {
	type line struct {
		text string
		err  error
	}
	typed := make(chan line, 1)
	go func() {
		text, err := bufio.NewReader(in).ReadString('\n')
		typed <- line{text, err}
	}()
	select {
	case l := <-typed:
		return l.text, l.err
	case <-ctx.Done():
		return "", context.Cause(ctx)
	}
}

// announced are the lines that are confirmed: what is written, and last what may be, each of that once.
func announced(steps []plan.Step) []string {
	var written, maybe []string
	for _, step := range steps {
		if step.Writes() {
			written = append(written, step.Cluster+"  "+step.Title)
		}
		if line := step.Cluster + "  " + step.MayAlso; step.MayAlso != "" && !slices.Contains(maybe, line) {
			maybe = append(maybe, line)
		}
	}
	return append(written, maybe...)
}
