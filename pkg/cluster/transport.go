package cluster

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"sync"
	"sync/atomic"
	"time"

	"github.com/go-logr/logr"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/rest"
)

// How often a request is made, and how long one attempt may stay without a sign of life. The last attempt may take as
// long as its context allows. A write may have to wait for admission webhooks, which have up to 30 seconds each.
const (
	attempts     = 4
	readSilence  = 4 * time.Second
	writeSilence = 35 * time.Second
)

// betweenAttempts is the time from one attempt to the next.
func betweenAttempts() wait.Backoff {
	return wait.Backoff{Duration: 100 * time.Millisecond, Factor: 2, Jitter: 0.5, Steps: attempts}
}

// WithRetries returns the config of clients whose requests are made again when they get no answer (see retrying). It is for
// requests alone: what upgrades a connection, as port-forwarding does, needs the config that is given here.
func WithRetries(config *rest.Config) (*rest.Config, error) {
	t := &retrying{config: config, timeout: config.Timeout, pausing: map[string]int{}}
	if config.ExecProvider != nil {
		t.plugin = config.ExecProvider.Command
	}
	if err := t.connect(nil); err != nil {
		return nil, err
	}
	base, _, err := rest.DefaultServerUrlFor(config)
	if err != nil {
		return nil, err
	}
	return &rest.Config{
		Host: base.String(), APIPath: config.APIPath, ContentConfig: config.ContentConfig, UserAgent: config.UserAgent,
		QPS: config.QPS, Burst: config.Burst, RateLimiter: config.RateLimiter,
		WarningHandler: config.WarningHandler, WarningHandlerWithContext: config.WarningHandlerWithContext,
		Transport: t,
	}, nil
}

// retrying makes a request again when it gets no answer from the API server and to make it twice does no harm: the
// connection breaks or is silent, or a proxy on the way answers in its place. It ends with the request's context, also
// while a credential plugin runs, which client-go waits for without end.
type retrying struct {
	config *rest.Config
	// timeout is how long a request may take with all its attempts; zero is without end.
	timeout time.Duration
	// plugin is the command of the credential plugin, if there is one.
	plugin string

	mu      sync.Mutex
	current http.RoundTripper
	// pausing counts the requests that are about to be made again, by the words of their fault.
	pausing map[string]int
}

// connect makes connections anew, unless somebody else has done so since the given one was taken: on one that is silent
// HTTP/2 would send the next attempt, too.
func (t *retrying) connect(silent http.RoundTripper) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.current != silent {
		return nil
	}
	config := t.config
	if silent != nil {
		config = rest.CopyConfig(config)
		config.Dial = (&net.Dialer{Timeout: 30 * time.Second, KeepAlive: 30 * time.Second}).DialContext // client-go shares connections of equal configs
	}
	client, err := rest.HTTPClientFor(config)
	if err != nil {
		return err
	}
	t.current = client.Transport
	if t.current == nil {
		t.current = http.DefaultTransport
	}
	return nil
}

// RoundTrip implements http.RoundTripper.
func (t *retrying) RoundTrip(request *http.Request) (*http.Response, error) {
	if t.timeout == 0 {
		return t.answer(request)
	}
	ctx, cancel := context.WithTimeoutCause(request.Context(), t.timeout, noAnswer(t.timeout))
	response, err := t.answer(request.WithContext(ctx))
	if response == nil {
		cancel()
		return nil, err
	}
	response.Body = &ending{response.Body, cancel}
	return response, err
}

// answer makes a request until it has an answer.
func (t *retrying) answer(request *http.Request) (*http.Response, error) {
	ctx := request.Context()
	backoff := betweenAttempts()
	again, silence := repeatable(request), silenceOf(request)
	for attempt := 1; ; attempt++ {
		limit := silence << (attempt - 1)
		if attempt == attempts || !again {
			limit = 0
		}
		t.mu.Lock()
		through := t.current
		t.mu.Unlock()
		response, err := t.attempt(request, through, limit)
		fault, isFault := errors.AsType[*FaultError](err)
		if !isFault || ctx.Err() != nil {
			return response, err
		}
		if attempt == attempts || !again && !fault.unsent {
			fault.attempts = attempt
			if fault.said {
				return response, nil
			}
			return nil, fault
		}
		if err := t.pause(request, backoff.Step(), fault); err != nil {
			return nil, err
		}
		if fault.silent {
			if err := t.connect(through); err != nil {
				return nil, err
			}
		}
		if request, err = anew(request); err != nil {
			return nil, err
		}
	}
}

// pause waits before a request is made again, and logs why; when a connection breaks, all its requests have one cause, which
// is logged once.
func (t *retrying) pause(request *http.Request, delay time.Duration, fault *FaultError) error {
	ctx, cause := request.Context(), fault.Error()
	t.mu.Lock()
	t.pausing[cause]++
	if t.pausing[cause] == 1 {
		logr.FromContextOrDiscard(ctx).Info("request made again", "request", request.Method+" "+request.URL.Redacted(), "because", cause)
	}
	t.mu.Unlock()
	defer func() {
		t.mu.Lock()
		defer t.mu.Unlock()
		t.pausing[cause]--
	}()
	select {
	case <-ctx.Done():
		return fmt.Errorf("%w; before that: %w", ended(ctx), fault)
	case <-time.After(delay):
		return nil
	}
}

// anew is a request with its body from the beginning.
func anew(request *http.Request) (*http.Request, error) {
	next := request.Clone(request.Context())
	if request.GetBody == nil {
		return next, nil
	}
	body, err := request.GetBody()
	next.Body = body
	return next, err
}

// attempt makes a request once. Where it gets no answer, or the API server's word that it can't answer now, the error is
// a FaultError; with the latter comes the response. A limit of zero is none.
func (t *retrying) attempt(request *http.Request, through http.RoundTripper, limit time.Duration) (*http.Response, error) {
	ctx, cancel := context.WithCancelCause(request.Context())
	streaming := false
	defer func() {
		if !streaming {
			cancel(nil)
		}
	}()
	alive := func() {}
	if limit > 0 {
		timer := time.AfterFunc(limit, func() { cancel(noAnswer(limit)) })
		timer.Stop() // it begins with the connection: a credential plugin may wait for a person before
		alive = func() { timer.Reset(limit) }
		defer timer.Stop()
	}
	var begun atomic.Pointer[time.Time]
	traced := httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{GetConn: func(string) { begun.Store(new(time.Now())); alive() }})
	unanswered := func(err error) (*http.Response, error) {
		if at := begun.Load(); at != nil && abortedLate(request, err, time.Since(*at)) {
			return timedOut(request)
		}
		return nil, failed(ctx, err)
	}
	result := make(chan answer, 1)
	go func() {
		response, err := through.RoundTrip(request.WithContext(traced)) //nolint:bodyclose // whoever gets the answer closes it
		result <- answer{response, err}
	}()
	select {
	case got := <-result:
		switch {
		case got.err != nil:
			return unanswered(got.err)
		case streams(request) || got.response.StatusCode == http.StatusSwitchingProtocols:
			streaming = true
			got.response.Body = &ending{got.response.Body, func() { cancel(nil) }}
			return got.response, nil
		}
		body, err := readAll(got.response.Body, alive)
		if err != nil {
			return unanswered(err)
		}
		body = withKind(got.response, body)
		got.response.Body = io.NopCloser(bytes.NewReader(body))
		return got.response, judge(request, got.response, body)
	case <-ctx.Done():
		go func() {
			if got := <-result; got.response != nil {
				got.response.Body.Close()
			}
		}()
		if t.plugin != "" && begun.Load() == nil {
			return nil, &PluginError{Command: t.plugin, Err: ended(ctx)}
		}
		return nil, failed(ctx, ctx.Err())
	}
}

type answer struct {
	response *http.Response
	err      error
}

// ending is a body that calls a function when it is closed.
type ending struct {
	io.ReadCloser
	end func()
}

// Close implements io.Closer.
func (e *ending) Close() error {
	defer e.end()
	return e.ReadCloser.Close()
}

// readAll reads a body to its end, and calls alive for every part: a connection may break there, too.
func readAll(body io.ReadCloser, alive func()) ([]byte, error) {
	defer body.Close()
	var all bytes.Buffer
	for {
		alive()
		_, err := io.CopyN(&all, body, 64<<10)
		switch {
		case errors.Is(err, io.EOF):
			return all.Bytes(), nil
		case err != nil:
			return nil, err
		}
	}
}
