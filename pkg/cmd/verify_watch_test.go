package cmd

import (
	"context"
	"errors"
	"testing"
	"time"

	"k8s.io/cli-runtime/pkg/genericiooptions"

	"github.com/kubectl-mesh/kubectl-mesh/pkg/app"
)

// watched plays judgements to --watch, one for each tick, and then Ctrl-C.
func watched(t *testing.T, rounds []func(interrupt func()) (app.Verdict, error), flags ...string) (code int, out, errOut string) {
	t.Helper()
	streams, _, stdout, stderr := genericiooptions.NewTestIOStreams()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	ticks := make(chan time.Time, 1)
	round := 0
	v, c := fakeVerify(streams, func(context.Context, []string) (app.Verdict, error) {
		found, err := rounds[round](cancel)
		round++
		if round < len(rounds) {
			ticks <- time.Date(2026, 1, 2, 12, 0, round, 0, time.UTC)
		} else {
			cancel()
		}
		return found, err
	})
	if err := c.ParseFlags(append([]string{"--watch", "--interval", "7s"}, flags...)); err != nil {
		t.Fatal(err)
	}
	stopped := false
	v.ticker = func(interval time.Duration) (<-chan time.Time, func()) {
		if interval != 7*time.Second {
			t.Errorf("it is judged every %s", interval)
		}
		return ticks, func() { stopped = true }
	}
	code = codeOf(ctx, v.run(ctx, nil))
	if !stopped {
		t.Error("the ticker goes on")
	}
	if round != len(rounds) {
		t.Errorf("%d judgements of %d", round, len(rounds))
	}
	return code, stdout.String(), stderr.String()
}

func judged(lines ...string) func(func()) (app.Verdict, error) {
	return func(func()) (app.Verdict, error) { return found(lines...), nil }
}

func failing(text string) func(func()) (app.Verdict, error) {
	return func(func()) (app.Verdict, error) { return app.Verdict{}, errors.New(text) }
}

func TestVerifyWatch(t *testing.T) {
	t.Parallel()
	interrupted := func(interrupt func()) (app.Verdict, error) {
		interrupt()
		return found("reachable east fail", "reachable west fail"), nil
	}
	rounds := []func(func()) (app.Verdict, error){
		judged("reachable east pass", "token-expired west pass"),
		judged("reachable east pass", "token-expired west pass"),
		judged("reachable east pass", "token-expired west fail"),
		failing("no network"), failing("no network"), failing("another one"),
		judged("reachable east pass", "token-expired west fail"),
		failing("no network"),
		judged("reachable east pass", "token-expired west warn"),
		interrupted,
	}
	const table = "east\n  ✓ clusters     1 check\nwest\n  ✓ credentials  1 check\n\neast: 1 passed\nwest: 1 passed\n✓ 2 of 2 clusters passed\n"
	const lastError = "12:00:03 could not look: no network\n12:00:05 could not look: another one\n12:00:07 could not look: no network\n"
	for _, test := range []struct {
		name  string
		flags []string
		code  int
		out   string
	}{
		{"table", nil, ExitOK, table + "12:00:02 ✗ west token-expired  as seen\n12:00:08 ! west token-expired  as seen\n"},
		{"warnings fail", []string{"--fail-on=warn"}, ExitFailed, table + "12:00:02 ✗ west token-expired  as seen\n12:00:08 ! west token-expired  as seen\n"},
		{"names", []string{"-o", "name"}, ExitOK, "check/east/reachable pass\ncheck/west/token-expired pass\ncheck/west/token-expired fail\ncheck/west/token-expired warn\n"},
		{"only", []string{"-o", "name", "--only", "reachable"}, ExitOK, "check/east/reachable pass\n"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			code, out, errOut := watched(t, rounds, test.flags...)
			if code != test.code || out != test.out || errOut != lastError {
				t.Errorf("exit code %d, stdout:\n%s\nstderr:\n%s", code, out, errOut)
			}
		})
	}
}

// A judgement that Ctrl-C has cut short tells nothing; the one before it counts.
func TestVerifyWatchEndsWithWhatItSawLast(t *testing.T) {
	t.Parallel()
	for code, rounds := range map[int][]func(func()) (app.Verdict, error){
		ExitOK:      {judged("reachable east pass"), judged("reachable east fail")},
		ExitUnknown: {judged("reachable east pass"), judged("reachable east unknown"), judged("reachable east fail")},
		ExitFailed:  {judged("reachable east fail"), judged("reachable east pass")},
	} {
		if got, out, _ := watched(t, rounds); got != code {
			t.Errorf("exit code %d, want %d:\n%s", got, code, out)
		}
	}
}

func TestVerifyWatchInterruptedAtOnce(t *testing.T) {
	t.Parallel()
	streams, _, stdout, _ := genericiooptions.NewTestIOStreams()
	ctx, cancel := context.WithCancel(t.Context())
	v, c := fakeVerify(streams, func(context.Context, []string) (app.Verdict, error) {
		cancel()
		return found("reachable east fail"), nil
	})
	if err := c.ParseFlags([]string{"--watch"}); err != nil {
		t.Fatal(err)
	}
	if code := codeOf(ctx, v.run(ctx, nil)); code != ExitInterrupted || stdout.String() != "" {
		t.Errorf("exit code %d, stdout %q", code, stdout.String())
	}
}
