// Package retry makes attempts again that fail. It stands in for client-go's package of that name, which takes an attempt
// for successful when its error wraps the end of a context.
package retry

import (
	"context"
	"time"

	"k8s.io/apimachinery/pkg/util/wait"
)

// Backoff is that of a few attempts within half a second.
func Backoff() wait.Backoff {
	return wait.Backoff{Steps: 4, Duration: 10 * time.Millisecond, Factor: 5, Jitter: 0.1}
}

// OnError makes attempts until one succeeds, one fails in a way that again does not accept, all steps of the backoff are
// used, or the context ends. It returns the error of the last attempt.
func OnError(ctx context.Context, backoff wait.Backoff, again func(error) bool, attempt func() error) error {
	for {
		err := attempt()
		if err == nil || !again(err) || backoff.Steps <= 1 {
			return err
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(backoff.Step()):
		}
	}
}
