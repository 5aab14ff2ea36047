package cmd

import (
	"context"
	"fmt"
	"io"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"k8s.io/cli-runtime/pkg/genericiooptions"

	"github.com/kubectl-mesh/kubectl-mesh/pkg/app"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/check"
	"github.com/kubectl-mesh/kubectl-mesh/test/apiserver"
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
	answers := apiserver.Named("east")
	answers["/api/v1/namespaces/istio-system/secrets"] = map[string]any{
		"apiVersion": "v1", "kind": "SecretList", "items": []any{map[string]any{
			"metadata": map[string]any{"name": "istio-remote-secret-west"},
			"data":     map[string]any{"west": []byte(kubeconfig)},
		}},
	}
	server := httptest.NewTLSServer(answers.Handler(t))
	t.Cleanup(server.Close)
	return server
}
