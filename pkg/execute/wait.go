package execute

import (
	"context"
	"errors"
	"fmt"
	"time"

	"k8s.io/apimachinery/pkg/util/wait"

	"github.com/kubectl-mesh/kubectl-mesh/pkg/cluster"
)

// waiter waits on one cluster until a condition holds or its context ends.
type waiter struct {
	cluster *cluster.Cluster
	say     func(string)
}

// condition looks once: done when it holds, else what was seen instead. An error that waiting can't change is a
// permanentError; any other is taken for temporary and looked at again.
type condition func(ctx context.Context) (done bool, seen string, err error)

// permanentError is an error that waiting can't change.
type permanentError struct{ error }

func (h permanentError) Unwrap() error { return h.error }

// lookTimeout bounds one look, so that an API server that hangs does not take the whole wait.
const lookTimeout = 15 * time.Second

// until polls a condition, quickly at first. When the context ends first, the error says what was seen last.
func (w waiter) until(ctx context.Context, what string, look condition) (string, error) {
	last := "nothing"
	backoff := wait.Backoff{Duration: 30 * time.Millisecond, Factor: 1.4, Cap: time.Second, Steps: 1 << 30, Jitter: 0.1}
	var seen string
	err := backoff.DelayFunc().Until(ctx, true, true, func(ctx context.Context) (bool, error) {
		bounded, cancel := context.WithTimeout(ctx, lookTimeout)
		defer cancel()
		done, now, err := look(bounded)
		switch {
		case errors.As(err, &permanentError{}):
			return false, err
		case err != nil:
			now = err.Error()
		}
		seen = now
		if !done && now != last && ctx.Err() == nil {
			last = now
			w.say(now)
		}
		return done && err == nil, nil
	})
	if err == nil {
		return seen, nil
	}
	if errors.As(err, &permanentError{}) {
		return "", fmt.Errorf("cluster %s: %w", w.cluster.Name, err)
	}
	return "", fmt.Errorf("cluster %s: %s: gave up waiting (%w); seen last: %s", w.cluster.Name, what, context.Cause(ctx), last)
}
