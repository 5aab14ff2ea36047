package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/creack/pty"
	"k8s.io/client-go/tools/clientcmd/api"

	"github.com/kubectl-mesh/kubectl-mesh/test/kubeconfig"
)

// bareCluster is an API server that allows everything, has nothing, and counts what is to be kept of what it is told.
func bareCluster(t *testing.T) (config string, writes *atomic.Int32) {
	t.Helper()
	writes = &atomic.Int32{}
	answers := map[string]any{
		"/version":                       map[string]any{"gitVersion": "v1.35.4"},
		"/api/v1/namespaces/kube-system": map[string]any{"apiVersion": "v1", "kind": "Namespace", "metadata": map[string]any{"name": "kube-system", "uid": "east"}},
	}
	for path, kind := range map[string]string{
		"/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations": "MutatingWebhookConfiguration",
		"/api/v1/namespaces/istio-system/services":                            "Service",
		"/apis/discovery.k8s.io/v1/namespaces/istio-system/endpointslices":    "EndpointSlice",
		"/api/v1/namespaces/istio-system/secrets":                             "Secret",
		"/api/v1/namespaces/istio-system/configmaps":                          "ConfigMap",
		"/apis/apps/v1/namespaces/istio-system/deployments":                   "Deployment",
	} {
		version := strings.TrimPrefix(strings.TrimPrefix(path, "/apis/"), "/api/")
		answers[path] = map[string]any{"apiVersion": version[:strings.LastIndex(version, "v1")+2], "kind": kind + "List", "items": []any{}}
	}
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		answer, known := answers[r.URL.Path]
		switch {
		case strings.HasSuffix(r.URL.Path, "/selfsubjectaccessreviews"):
			answer, known = map[string]any{"apiVersion": "authorization.k8s.io/v1", "kind": "SelfSubjectAccessReview", "status": map[string]any{"allowed": true}}, true
		case r.Method != http.MethodGet && r.URL.Query().Get("dryRun") == "":
			writes.Add(1)
		}
		w.Header().Set("Content-Type", "application/json")
		if !known {
			w.WriteHeader(http.StatusNotFound)
			answer = map[string]any{"apiVersion": "v1", "kind": "Status", "status": "Failure", "reason": "NotFound", "code": http.StatusNotFound}
		}
		if err := json.NewEncoder(w).Encode(answer); err != nil {
			t.Error(err)
		}
	}))
	t.Cleanup(server.Close)
	config = kubeconfig.Write(t, map[string]*api.Cluster{"east": kubeconfig.Of(server)}, nil)
	return config, writes
}

// On a terminal nothing is written before a yes, and Ctrl-C ends the question.
func TestQuestion(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name, typed string
		code        int
		writes      bool
		says        string
	}{
		{"Ctrl-C", "\x03", 130, false, "nothing was written"},
		{"n", "n\n", 1, false, "nothing was written: not confirmed"},
		{"Enter", "\n", 1, false, "nothing was written: not confirmed"},
		{"Ctrl-D", "\x04", 1, false, "nothing was written: not confirmed"},
		// The cluster is none that could take what it is told.
		{"y", "y\n", 1, true, "steps are done"},
		{"YES", "YES\n", 1, true, "steps are done"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			config, writes := bareCluster(t)
			command := shell(t.Context(), "kubectl-mesh", fmt.Sprintf(`exec "$0" install-primary --context east --network network1 --kubeconfig %q`, config))
			terminal, err := pty.Start(command)
			if err != nil {
				t.Fatal(err)
			}
			defer terminal.Close()
			var said bytes.Buffer
			for !strings.Contains(said.String(), "Continue? [y/N] ") {
				some := make([]byte, 4096)
				n, err := terminal.Read(some)
				said.Write(some[:n])
				if err != nil {
					t.Fatalf("it does not ask: %v\n%s", err, said.String())
				}
			}
			if n := writes.Load(); n > 0 {
				t.Errorf("it has written %d times before it asks", n)
			}
			if _, err := terminal.WriteString(test.typed); err != nil {
				t.Fatal(err)
			}
			_, _ = io.Copy(&said, terminal) // ends with an error when the program has ended
			_ = command.Wait()              // the exit code says it
			if code := command.ProcessState.ExitCode(); code != test.code || !strings.Contains(said.String(), test.says) {
				t.Errorf("exit code %d, want %d:\n%s", code, test.code, said.String())
			}
			if n := writes.Load(); (n > 0) != test.writes {
				t.Errorf("it has written %d times:\n%s", n, said.String())
			}
		})
	}
}
