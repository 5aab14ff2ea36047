package cluster

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd/api"
)

const namespaceJSON = `{"apiVersion":"v1","kind":"Namespace","metadata":{"name":"kube-system","uid":"u"}}`

// answering answers a request; n counts those before it.
type answering func(w http.ResponseWriter, r *http.Request, n int32)

func says(code int, kind, body string) answering {
	return func(w http.ResponseWriter, _ *http.Request, _ int32) {
		w.Header().Set("Content-Type", kind)
		w.WriteHeader(code)
		fmt.Fprint(w, body)
	}
}

func status(code int, reason metav1.StatusReason, message string) answering {
	return says(code, "application/json", fmt.Sprintf(`{"apiVersion":"v1","kind":"Status","status":"Failure","code":%d,"reason":%q,"message":%q}`, code, reason, message))
}

// broken breaks the connection; cut does so in the middle of an answer.
func broken(http.ResponseWriter, *http.Request, int32) { panic(http.ErrAbortHandler) }

func cut(w http.ResponseWriter, _ *http.Request, _ int32) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Content-Length", "1000")
	fmt.Fprint(w, namespaceJSON[:20])
	if flusher, is := w.(http.Flusher); is {
		flusher.Flush()
	}
	panic(http.ErrAbortHandler)
}

// first answers so the first times, and then well.
func first(times int32, how answering) answering {
	return func(w http.ResponseWriter, r *http.Request, n int32) {
		if n < times {
			how(w, r, n)
			return
		}
		says(http.StatusOK, "application/json", namespaceJSON)(w, r, n)
	}
}

// server is an API server, with or without HTTP/2; calls counts its requests.
func server(t *testing.T, http2 bool, how answering) (config *rest.Config, calls *atomic.Int32) {
	t.Helper()
	calls = &atomic.Int32{}
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { how(w, r, calls.Add(1)-1) }))
	s.EnableHTTP2 = http2
	s.StartTLS()
	t.Cleanup(s.Close)
	return &rest.Config{Host: s.URL, TLSClientConfig: rest.TLSClientConfig{Insecure: true}}, calls
}

func client(t *testing.T, config *rest.Config) *kubernetes.Clientset {
	t.Helper()
	retrying, err := WithRetries(config)
	if err != nil {
		t.Fatal(err)
	}
	c, err := kubernetes.NewForConfig(retrying)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func get(ctx context.Context, c *kubernetes.Clientset) error {
	_, err := c.CoreV1().Namespaces().Get(ctx, "kube-system", metav1.GetOptions{})
	return err
}

const html = "<html><body>Service Unavailable</body></html>"

// A request that gets no answer is made again, and that it got none to the last is no answer of the API server's.
func TestRetries(t *testing.T) {
	t.Parallel()
	for name, how := range map[string]answering{
		"closed":             broken,
		"cut off":            cut,
		"500 of a proxy":     says(http.StatusInternalServerError, "text/plain", "oops"),
		"502 in JSON":        says(http.StatusBadGateway, "application/json", `{"error":"upstream"}`),
		"503 in HTML":        says(http.StatusServiceUnavailable, "text/html; charset=utf-8", html),
		"504":                says(http.StatusGatewayTimeout, "text/html", html),
		"a page with 200":    says(http.StatusOK, "text/html", html),
		"a page with 403":    says(http.StatusForbidden, "text/html", html),
		"the server's 500":   status(http.StatusInternalServerError, metav1.StatusReasonInternalError, "etcdserver: leader changed"),
		"the server's 503":   status(http.StatusServiceUnavailable, metav1.StatusReasonServiceUnavailable, "apiserver is shutting down"),
		"the server's 504":   status(http.StatusGatewayTimeout, metav1.StatusReasonTimeout, "request did not complete"),
		"with no code known": status(http.StatusInternalServerError, metav1.StatusReasonUnknown, "unknown"),
	} {
		for _, http2 := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, HTTP/2 %v", name, http2), func(t *testing.T) {
				t.Parallel()
				config, calls := server(t, http2, first(2, how))
				if err := get(t.Context(), client(t, config)); err != nil || calls.Load() != 3 {
					t.Errorf("after %d calls: %v", calls.Load(), err)
				}
				config, calls = server(t, http2, first(1000, how))
				err := get(t.Context(), client(t, config))
				if err == nil || Answered(err) || calls.Load() != attempts {
					t.Errorf("after %d calls: %v (answered: %v)", calls.Load(), err, Answered(err))
				}
			})
		}
	}
}

// What an API server decides is its answer, at once.
func TestAnswers(t *testing.T) {
	t.Parallel()
	const webhook = `Internal error occurred: failed calling webhook "rev.namespace.sidecar-injector.istio.io": failed to call webhook: Post "https://istiod": EOF`
	for name, how := range map[string]answering{
		"not found": status(http.StatusNotFound, metav1.StatusReasonNotFound, "not found"), "forbidden": status(http.StatusForbidden, metav1.StatusReasonForbidden, "no"),
		"unauthorized": status(http.StatusUnauthorized, metav1.StatusReasonUnauthorized, "Unauthorized"), "conflict": status(http.StatusConflict, metav1.StatusReasonConflict, "conflict"),
		"a webhook": status(http.StatusInternalServerError, metav1.StatusReasonInternalError, webhook),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			config, calls := server(t, true, how)
			if err := get(t.Context(), client(t, config)); !Answered(err) || calls.Load() != 1 {
				t.Errorf("after %d calls: %v", calls.Load(), err)
			}
		})
	}
}

// That the time is over which a request has asked for is an answer, with or without the kind of a Status.
func TestOverdue(t *testing.T) {
	t.Parallel()
	for name, how := range map[string]answering{
		"by the handler": status(http.StatusGatewayTimeout, metav1.StatusReasonTimeout, "too late"),
		"by the filter":  says(http.StatusGatewayTimeout, "text/plain", `{"metadata":{},"status":"Failure","message":"too late","reason":"Timeout","code":504}`),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			config, calls := server(t, true, how)
			err := client(t, config).CoreV1().RESTClient().Get().Resource("namespaces").Name("kube-system").Param("timeout", "5s").Do(t.Context()).Error()
			if !apierrors.IsTimeout(err) || apierrors.IsUnexpectedServerError(err) || err.Error() != "too late" || calls.Load() != 1 {
				t.Errorf("after %d calls: %v", calls.Load(), err)
			}
		})
	}
}

// Where the answer has begun the API server resets the stream instead, again and again.
func TestAbortedLate(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		given time.Duration
		how   answering
		calls int32
		late  bool
	}{
		"before the answer":        {100 * time.Millisecond, broken, 1, true},
		"in the middle of it":      {100 * time.Millisecond, cut, 1, true},
		"long before its time":     {time.Hour, broken, attempts, false},
		"in the middle, and early": {time.Hour, cut, attempts, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			config, calls := server(t, true, func(w http.ResponseWriter, r *http.Request, n int32) {
				if c.late {
					<-time.After(c.given)
				}
				c.how(w, r, n)
			})
			err := client(t, config).CoreV1().RESTClient().Get().Resource("namespaces").Name("kube-system").Param("timeout", c.given.String()).Do(t.Context()).Error()
			if apierrors.IsTimeout(err) != c.late || calls.Load() != c.calls {
				t.Errorf("after %d calls, want %d: %v", calls.Load(), c.calls, err)
			}
		})
	}
}

// What may be done twice is; what may not is sent once.
func TestRepeatable(t *testing.T) {
	t.Parallel()
	patch := func(kind types.PatchType) func(context.Context, *kubernetes.Clientset) error {
		return func(ctx context.Context, c *kubernetes.Clientset) error {
			_, err := c.CoreV1().Namespaces().Patch(ctx, "kube-system", kind, []byte("{}"), metav1.PatchOptions{})
			return err
		}
	}
	create := func(dryRun ...string) func(context.Context, *kubernetes.Clientset) error {
		return func(ctx context.Context, c *kubernetes.Clientset) error {
			_, err := c.CoreV1().Namespaces().Create(ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "n"}}, metav1.CreateOptions{DryRun: dryRun})
			return err
		}
	}
	for name, test := range map[string]struct {
		do   func(context.Context, *kubernetes.Clientset) error
		want int32
	}{
		"get": {get, 2}, "apply": {patch(types.ApplyPatchType), 2}, "merge": {patch(types.MergePatchType), 2}, "JSON patch": {patch(types.JSONPatchType), 1},
		"create": {create(), 1}, "dry run": {create(metav1.DryRunAll), 2},
		"delete": {func(ctx context.Context, c *kubernetes.Clientset) error {
			return c.CoreV1().Namespaces().Delete(ctx, "kube-system", metav1.DeleteOptions{})
		}, 2},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			config, calls := server(t, true, func(w http.ResponseWriter, r *http.Request, n int32) {
				if n == 0 {
					broken(w, r, n)
				}
				if r.Method == http.MethodPatch || r.Method == http.MethodPost {
					if body := make([]byte, 2); r.ContentLength < 2 {
						t.Errorf("the body was not sent again: %q", body)
					}
				}
				says(http.StatusOK, "application/json", namespaceJSON)(w, r, n)
			})
			if err := test.do(t.Context(), client(t, config)); calls.Load() != test.want || (err == nil) != (test.want == 2) {
				t.Errorf("after %d calls: %v", calls.Load(), err)
			}
		})
	}
}

// A request that was never sent may be made again, whatever it is; in the end its error says so in a few words.
func TestRefused(t *testing.T) {
	t.Parallel()
	config, _ := server(t, false, broken)
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	config.Host = "https://" + listener.Addr().String()
	listener.Close()
	err = get(t.Context(), client(t, config))
	if want := "the connection is refused (4 attempts)"; err == nil || Reason(err) != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

// silence is a server which takes connections and, of the first ones, says nothing.
func silence(t *testing.T, silent int32) (address string, calls *atomic.Int32) {
	t.Helper()
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	calls = &atomic.Int32{}
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		says(http.StatusOK, "application/json", namespaceJSON)(w, r, 0)
	}))
	s.Listener.Close()
	s.Listener = &swallowing{listener, calls, silent}
	s.StartTLS()
	t.Cleanup(s.Close)
	return s.URL, calls
}

type swallowing struct {
	net.Listener
	calls  *atomic.Int32
	silent int32
}

func (s *swallowing) Accept() (net.Conn, error) {
	for {
		c, err := s.Listener.Accept()
		if err != nil || s.calls.Add(1) > s.silent {
			return c, err
		}
	}
}

// A connection that stays silent is left for another one, within the time that a first look has.
func TestSilentConnection(t *testing.T) {
	t.Parallel()
	address, calls := silence(t, 1)
	config := &rest.Config{Host: address, TLSClientConfig: rest.TLSClientConfig{Insecure: true}}
	if err := get(t.Context(), client(t, config)); err != nil || calls.Load() != 2 {
		t.Errorf("after %d connections: %v", calls.Load(), err)
	}
}

// The end of a context ends a request at any point.
func TestContextEnds(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancelCause(t.Context())
	config, calls := server(t, true, func(w http.ResponseWriter, r *http.Request, n int32) {
		cancel(errors.New("enough"))
		broken(w, r, n)
	})
	if err := get(ctx, client(t, config)); !errors.Is(err, context.Canceled) || calls.Load() != 1 {
		t.Errorf("after %d calls: %v", calls.Load(), err)
	}
}

// A credential plugin that hangs is named when the time is over; one that works is of no hindrance.
func TestPlugin(t *testing.T) {
	t.Parallel()
	const credentials = `{"apiVersion":"client.authentication.k8s.io/v1","kind":"ExecCredential","status":{"token":"a-token"}}`
	for name, test := range map[string]struct {
		script, want string
	}{
		"works": {"echo '" + credentials + "'", ""},
		// It reads from a pipe into which nobody writes, until the test takes it away.
		"hangs": {"read line < %s", `credential plugin "%s" has not answered`},
		"fails": {"exit 3", "getting credentials"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			folder := t.TempDir()
			pipe, plugin := filepath.Join(folder, "pipe"), filepath.Join(folder, "plugin")
			if err := syscall.Mkfifo(pipe, 0o600); err != nil {
				t.Fatal(err)
			}
			script := "#!/bin/sh\n" + strings.ReplaceAll(test.script, "%s", pipe) + "\n"
			if err := os.WriteFile(plugin, []byte(script), 0o700); err != nil {
				t.Fatal(err)
			}
			config, calls := server(t, true, first(0, broken))
			config.ExecProvider = &api.ExecConfig{Command: plugin, APIVersion: "client.authentication.k8s.io/v1", InteractiveMode: api.NeverExecInteractiveMode}
			config.TLSClientConfig = rest.TLSClientConfig{Insecure: true}
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			if name != "hangs" {
				ctx = t.Context()
			} else {
				t.Cleanup(func() {
					// Opening to write ends the plugin's read.
					if f, err := os.OpenFile(pipe, os.O_WRONLY|syscall.O_NONBLOCK, 0); err == nil {
						f.Close()
					}
				})
			}
			err := get(ctx, client(t, config))
			want := strings.ReplaceAll(test.want, "%s", plugin)
			switch {
			case want == "" && (err != nil || calls.Load() != 1):
				t.Errorf("after %d calls: %v", calls.Load(), err)
			case want != "" && (err == nil || !strings.Contains(err.Error(), want) || calls.Load() != 0):
				t.Errorf("after %d calls: %v, want %s", calls.Load(), err, want)
			}
		})
	}
}

func TestOfThisMachine(t *testing.T) {
	t.Parallel()
	dial := func(err error) error { return &net.OpError{Op: "dial", Net: "tcp", Err: err} }
	for _, test := range []struct {
		err  error
		want bool
	}{
		{dial(os.NewSyscallError("socket", syscall.EMFILE)), true},
		{dial(os.NewSyscallError("connect", syscall.ENETUNREACH)), true},
		{dial(&net.DNSError{Err: "server misbehaving", IsTemporary: true}), true},
		{dial(&net.DNSError{Err: "i/o timeout", IsTimeout: true}), true},
		{&net.OpError{Op: "proxyconnect", Net: "tcp", Err: dial(os.NewSyscallError("connect", syscall.ECONNREFUSED))}, true},
		{dial(&net.DNSError{Err: "no such host", IsNotFound: true}), false},
		{dial(os.NewSyscallError("connect", syscall.ECONNREFUSED)), false},
		{dial(os.NewSyscallError("connect", syscall.EHOSTUNREACH)), false},
		{tls.AlertError(42), false},
	} {
		if OfThisMachine(test.err) != test.want || OfThisMachine(failed(t.Context(), test.err)) != test.want {
			t.Errorf("%v: want %v", test.err, test.want)
		}
	}
}
