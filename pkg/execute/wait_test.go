package execute

import (
	"context"
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/kubectl-mesh/kubectl-mesh/pkg/cluster"
)

// messages are what a wait has reported.
type messages []string

func (s *messages) waiter() waiter {
	return waiter{cluster: &cluster.Cluster{Name: "west"}, say: func(text string) { *s = append(*s, text) }}
}

// looks is a condition that sees one thing after the other, the last one for ever.
func looks(seen ...any) condition {
	i := -1
	return func(context.Context) (bool, string, error) {
		i = min(i+1, len(seen)-1)
		switch now := seen[i].(type) {
		case error:
			return false, "", now
		case bool:
			return true, "there", nil
		default:
			return false, now.(string), nil
		}
	}
}

func TestUntil(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var said messages
		seen, err := said.waiter().until(t.Context(), "the thing", looks("pending", "pending", errors.New("refused"), "pending", true))
		if err != nil || seen != "there" {
			t.Errorf("got %q, %v", seen, err)
		}
		// What has not changed is not said again; an error passes, and is said as what was seen.
		if want := []string{"pending", "refused", "pending"}; !slices.Equal(said, want) {
			t.Errorf("said is %q, want %q", said, want)
		}
	})
}

func TestUntilAtOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var said messages
		begin := time.Now()
		if _, err := said.waiter().until(t.Context(), "the thing", looks(true)); err != nil || len(said) != 0 || time.Since(begin) != 0 {
			t.Errorf("what is there already takes %v, says %q, %v", time.Since(begin), said, err)
		}
	})
}

// A wait has an end; its error says what it saw last and why it ended.
func TestUntilOutOfTime(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name string
		look condition
		want string
	}{
		{"something seen", looks("first", "1 of 2 ready"), "cluster west: the thing: gave up waiting (--timeout 5m has passed); seen last: 1 of 2 ready"},
		{"errors only", looks(errors.New("connection refused")), "cluster west: the thing: gave up waiting (--timeout 5m has passed); seen last: connection refused"},
		{"a look that hangs", func(ctx context.Context) (bool, string, error) {
			<-ctx.Done()
			return false, "", errors.New("no answer")
		}, "cluster west: the thing: gave up waiting (--timeout 5m has passed); seen last: no answer"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				reason := errors.New("--timeout 5m has passed")
				ctx, cancel := context.WithTimeoutCause(t.Context(), 5*time.Minute, reason)
				defer cancel()
				begin := time.Now()
				var said messages
				_, err := said.waiter().until(ctx, "the thing", test.look)
				if err == nil || err.Error() != test.want || !errors.Is(err, reason) {
					t.Errorf("got %v, want %s", err, test.want)
				}
				if took := time.Since(begin); took < 5*time.Minute || took > 5*time.Minute+lookTimeout {
					t.Errorf("it took %v", took)
				}
			})
		})
	}
}

// One look that hangs does not take the whole wait.
func TestUntilLooksAgainAfterOneThatHangs(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		begin, first := time.Now(), true
		var said messages
		seen, err := said.waiter().until(t.Context(), "the thing", func(ctx context.Context) (bool, string, error) {
			if first {
				first = false
				<-ctx.Done()
				return false, "", ctx.Err()
			}
			return true, "there", nil
		})
		if took := time.Since(begin); err != nil || seen != "there" || took > lookTimeout+time.Second {
			t.Errorf("got %q, %v after %v", seen, err, took)
		}
	})
}

func TestUntilCancelled(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	var said messages
	_, err := said.waiter().until(ctx, "the thing", func(context.Context) (bool, string, error) {
		cancel()
		return false, "pending", nil
	})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, which does not say that it was interrupted", err)
	}
	if len(said) != 0 {
		t.Errorf("an interrupted wait says %q", said)
	}
}

// What no waiting fixes ends the wait at once.
func TestUntilPermanentError(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		cause := errors.New("the Service is of type ClusterIP")
		begin := time.Now()
		var said messages
		_, err := said.waiter().until(t.Context(), "the thing", looks(permanentError{cause}))
		if err == nil || err.Error() != "cluster west: the Service is of type ClusterIP" || !errors.Is(err, cause) || time.Since(begin) != 0 {
			t.Errorf("got %v after %v", err, time.Since(begin))
		}
	})
}
