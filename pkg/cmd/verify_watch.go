package cmd

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/kubectl-mesh/kubectl-mesh/pkg/report"
)

func realTicker(interval time.Duration) (ticks <-chan time.Time, stop func()) {
	t := time.NewTicker(interval)
	return t.C, t.Stop
}

// keepWatching shows the mesh, and then what changes, until ctx ends. That is how it is meant to end, so the exit code
// is that of the last judgement.
func (v *verify) keepWatching(ctx context.Context, args []string) error {
	j := &v.judging
	found, err := j.judgeOnce(ctx, args)
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case err != nil:
		return err
	}
	chosen, blocking := j.choose(found.Results)
	if err := j.print(verdict{Results: chosen}); err != nil {
		return err
	}
	j.printBlocking(chosen, blocking)
	changes := &report.Changes{Names: j.output == "name"}
	if err := changes.Next(j.global.Out, j.global.outStyle(), time.Time{}, chosen); err != nil {
		return err
	}
	ticks, stop := v.ticker(v.interval)
	defer stop()
	lastError := ""
	for {
		var now time.Time
		select {
		case <-ctx.Done():
			return j.exit(slices.Concat(chosen, blocking))
		case now = <-ticks:
		}
		found, err := j.judgeOnce(ctx, args)
		switch {
		case ctx.Err() != nil: // what was not looked at to the end would tell of failures that are none
			continue
		case err != nil:
			// It may pass, as a network does; what is said again and again is noise.
			if lastError != err.Error() {
				lastError = err.Error()
				fmt.Fprintf(j.global.ErrOut, "%s could not look: %s\n", now.Format(time.TimeOnly), report.Plain(lastError))
			}
			continue
		}
		lastError = ""
		chosen, blocking = j.choose(found.Results)
		if err := changes.Next(j.global.Out, j.global.outStyle(), now, chosen); err != nil {
			return err
		}
	}
}
