package istio

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"istio.io/istio/pkg/kube"
)

// forwards is a client whose port-forwards lead to a server, or fail.
type forwards struct {
	kube.CLIClient
	// opens tells of each forward whether it fails, and how.
	opens  func(attempt int) error
	opened atomic.Int32
	to     string
}

func (f *forwards) NewPortForwarder(string, string, string, int, int) (kube.PortForwarder, error) {
	attempt := int(f.opened.Add(1))
	return &forward{address: f.to, start: func() error { return f.opens(attempt) }}, nil
}

type forward struct {
	kube.PortForwarder
	address string
	start   func() error
}

func (f *forward) Start() error    { return f.start() }
func (f *forward) Address() string { return f.address }
func (*forward) Close()            {}

// A port-forward that does not open, or breaks, is opened again. An answer is an answer, and a refusal is one, too.
func TestForwardsAreOpenedAgain(t *testing.T) {
	t.Parallel()
	hanging := make(chan struct{})
	t.Cleanup(func() { close(hanging) })
	breaks := errors.New("error upgrading connection: connection reset by peer")
	for _, c := range []struct {
		name string
		// opens tells how each forward opens, serve how each request is answered.
		opens func(attempt int) error
		serve func(request int, w http.ResponseWriter)
		// want is the answer or a part of the error, attempts how many forwards there are then.
		want     string
		attempts int
	}{
		{name: "opens at the third attempt", opens: func(attempt int) error {
			if attempt < 3 {
				return breaks
			}
			return nil
		}, want: "an answer", attempts: 3},
		{name: "hangs at first", opens: func(attempt int) error {
			if attempt == 1 {
				<-hanging
			}
			return nil
		}, want: "an answer", attempts: 2},
		{name: "breaks at first", serve: func(request int, w http.ResponseWriter) {
			if request == 1 {
				panic(http.ErrAbortHandler)
			}
			fmt.Fprint(w, "an answer")
		}, want: "an answer", attempts: 2},
		{name: "never opens", opens: func(int) error { return breaks }, want: "asking pod istio-system/istiod for debug/clusterz: error upgrading", attempts: 4},
		{name: "may not", opens: func(int) error { return errors.New(`pods "istiod" is forbidden: User "eve" cannot`) }, want: "is forbidden", attempts: 1},
		{name: "answers with an error", serve: func(_ int, w http.ResponseWriter) {
			http.Error(w, "no such page", http.StatusNotFound)
		}, want: "asking pod istio-system/istiod for debug/clusterz: HTTP 404: no such page", attempts: 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			var requests atomic.Int32
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				request := requests.Add(1)
				if c.serve != nil {
					c.serve(int(request), w)
					return
				}
				fmt.Fprint(w, "an answer")
			}))
			defer server.Close()
			client := &forwards{opens: func(int) error { return nil }, to: server.Listener.Addr().String()}
			if c.opens != nil {
				client.opens = c.opens
			}
			body, err := Get(t.Context(), client, "istio-system", "istiod", "debug/clusterz", 15014)
			got := string(body)
			if err != nil {
				got = err.Error()
			}
			if !strings.Contains(got, c.want) || int(client.opened.Load()) != c.attempts {
				t.Errorf("got %q after %d forwards, want %q after %d", got, client.opened.Load(), c.want, c.attempts)
			}
		})
	}
}

// The end of the caller's context is the end of the attempts, and the error has its cause.
func TestForwardsEndWithTheContext(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancelCause(t.Context())
	client := &forwards{to: net.JoinHostPort("127.0.0.1", "1"), opens: func(int) error {
		cancel(errors.New("--timeout 1m0s has passed"))
		return errors.New("connection reset by peer")
	}}
	_, err := Get(ctx, client, "istio-system", "istiod", "debug/clusterz", 15014)
	if err == nil || !strings.HasSuffix(err.Error(), "--timeout 1m0s has passed") || client.opened.Load() != 1 {
		t.Errorf("got %v after %d forwards", err, client.opened.Load())
	}
}
