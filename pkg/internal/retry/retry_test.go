package retry

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"k8s.io/apimachinery/pkg/util/wait"
)

func TestOnError(t *testing.T) {
	t.Parallel()
	passing, final := errors.New("passing"), errors.New("final")
	ended := fmt.Errorf("no answer: %w", context.DeadlineExceeded)
	for _, test := range []struct {
		name string
		// results are those of the attempts; the last one is given again and again.
		results  []error
		attempts int
		want     error
		takes    time.Duration
	}{
		{"at once", []error{nil}, 1, nil, 0},
		{"at the third attempt", []error{passing, passing, nil}, 3, nil, 3 * time.Second},
		{"never", []error{passing}, 4, passing, 7 * time.Second},
		{"what is no use to repeat", []error{passing, final}, 2, final, time.Second},
		{"an attempt that ran out of time", []error{ended}, 1, ended, 0},
		{"one that did after another", []error{passing, ended}, 2, ended, time.Second},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				begin, attempts := time.Now(), 0
				backoff := wait.Backoff{Steps: 4, Duration: time.Second, Factor: 2}
				err := OnError(t.Context(), backoff, func(err error) bool { return errors.Is(err, passing) }, func() error {
					attempts++
					return test.results[min(attempts, len(test.results))-1]
				})
				if !errors.Is(err, test.want) || (err == nil) != (test.want == nil) || attempts != test.attempts || time.Since(begin) != test.takes {
					t.Errorf("got %v after %d attempts and %v, want %v after %d and %v", err, attempts, time.Since(begin), test.want, test.attempts, test.takes)
				}
			})
		})
	}
}

// Nothing is attempted again once the context has ended, and the attempt's error is not lost.
func TestOnErrorAtTheEndOfTheContext(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		begin, attempts, failed := time.Now(), 0, errors.New("refused")
		err := OnError(ctx, wait.Backoff{Steps: 4, Duration: time.Hour}, func(error) bool { return true }, func() error {
			attempts++
			return failed
		})
		if !errors.Is(err, failed) || attempts != 1 || time.Since(begin) != time.Minute {
			t.Errorf("got %v after %d attempts and %v", err, attempts, time.Since(begin))
		}
	})
}
