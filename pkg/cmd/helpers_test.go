package cmd

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"k8s.io/cli-runtime/pkg/genericiooptions"

	"github.com/kubectl-mesh/kubectl-mesh/pkg/app"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/check"
)

// typed runs a command line as main does; the kubeconfig that it finds has no context.
func typed(t *testing.T, args ...string) (code int, out, errOut string) {
	t.Helper()
	kubeconfig := filepath.Join(t.TempDir(), "config")
	if err := os.WriteFile(kubeconfig, []byte("apiVersion: v1\nkind: Config\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return mainWith(t.Context(), kubeconfig, args...)
}

// mainWith runs a command line as main does.
func mainWith(ctx context.Context, kubeconfig string, args ...string) (code int, stdout, stderr string) {
	streams, _, out, errOut := genericiooptions.NewTestIOStreams()
	code = Main(ctx, append([]string{"kubectl-mesh", "--kubeconfig", kubeconfig}, args...), streams)
	return code, out.String(), errOut.String()
}

// completions are the words that cobra would offer.
func completions(out string) string {
	var names []string
	for line := range strings.Lines(out) {
		if name, _, _ := strings.Cut(strings.TrimSpace(line), "\t"); !strings.HasPrefix(name, ":") {
			names = append(names, name)
		}
	}
	return strings.Join(names, " ")
}

// fakeJudging is what a judging command is made of, with judge in the place of real clusters.
func fakeJudging(streams genericiooptions.IOStreams, command string, judge func(context.Context, []string) (app.Verdict, error)) judging {
	return judging{global: &global{IOStreams: streams, getenv: func(string) string { return "" }}, command: command, judge: judge}
}

// codeOf is the exit code of a command that ends with an error.
func codeOf(ctx context.Context, err error) int { return exitCode(ctx, err, io.Discard) }

// found makes a judgement of lines `ID CLUSTER STATUS [NEEDS]`.
func found(lines ...string) app.Verdict {
	var v app.Verdict
	for _, line := range lines {
		f := strings.Fields(line)
		c, err := check.Find(f[0])
		if err != nil {
			panic(err)
		}
		r := check.Result{ID: c.ID, Category: c.Category, Title: c.Title, Docs: c.Docs, Cluster: f[1], Status: check.Status(f[2]), Seen: "as seen"}
		if len(f) > 3 {
			r.Seen, r.Needs = "needs "+f[3], f[3]
		}
		v.Results = append(v.Results, r)
	}
	return v
}

// silentServer is an API server that takes connections and never says a word; it counts them.
func silentServer(t *testing.T) (address string, calls *atomic.Int32) {
	t.Helper()
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	calls = &atomic.Int32{}
	go func() {
		for {
			connection, err := listener.Accept()
			if err != nil {
				return
			}
			calls.Add(1)
			t.Cleanup(func() { connection.Close() })
		}
	}()
	return "https://" + listener.Addr().String(), calls
}

// primaryServer is the API server of a primary that knows one remote, as far as it takes to find it.
func primaryServer(t *testing.T, remote string) *httptest.Server {
	t.Helper()
	kubeconfig := fmt.Sprintf(`apiVersion: v1
kind: Config
clusters: [{name: west, cluster: {server: %q}}]
users: [{name: west, user: {token: a-token}}]
contexts: [{name: west, context: {cluster: west, user: west}}]
current-context: west
`, remote)
	answers := map[string]any{
		"/api/v1/namespaces/kube-system": map[string]any{
			"apiVersion": "v1", "kind": "Namespace", "metadata": map[string]any{"name": "kube-system", "uid": "east"},
		},
		"/api/v1/namespaces/istio-system/secrets": map[string]any{
			"apiVersion": "v1", "kind": "SecretList", "items": []any{map[string]any{
				"metadata": map[string]any{"name": "istio-remote-secret-west"},
				"data":     map[string]any{"west": []byte(kubeconfig)},
			}},
		},
		"/version": map[string]any{"gitVersion": "v1.35.4"},
	}
	absent := map[string]any{"apiVersion": "v1", "kind": "Status", "status": "Failure", "reason": "NotFound", "code": http.StatusNotFound}
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		answer, found := answers[r.URL.Path]
		if !found {
			w.WriteHeader(http.StatusNotFound)
			answer = absent
		}
		if err := json.NewEncoder(w).Encode(answer); err != nil {
			t.Error(err)
		}
	}))
	t.Cleanup(server.Close)
	return server
}
