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
	found, err := v.judgeOnce(ctx, args)
	switch {
	case ctx.Err() != nil:
		return interruption(ctx.Err())
	case err != nil:
		return err
	}
	chosen, grounds := v.choose(found)
	if err := v.print(verdict{Results: chosen}); err != nil {
		return err
	}
	v.remark(chosen, grounds)
	changes := &report.Changes{Names: v.output == "name"}
	if err := changes.Next(v.Out, v.outStyle(), time.Time{}, chosen); err != nil {
		return err
	}
	ticks, stop := v.ticker(v.interval)
	defer stop()
	trouble := ""
	for {
		var now time.Time
		select {
		case <-ctx.Done():
			return v.exit(slices.Concat(chosen, grounds))
		case now = <-ticks:
		}
		found, err := v.judgeOnce(ctx, args)
		switch {
		case ctx.Err() != nil: // what was not looked at to the end would tell of failures that are none
			continue
		case err != nil:
			// It may pass, as a network does; what is said again and again is noise.
			if trouble != err.Error() {
				trouble = err.Error()
				fmt.Fprintf(v.ErrOut, "%s could not look: %s\n", now.Format(time.TimeOnly), report.Plain(trouble))
			}
			continue
		}
		trouble = ""
		chosen, grounds = v.choose(found)
		if err := changes.Next(v.Out, v.outStyle(), now, chosen); err != nil {
			return err
		}
	}
}
