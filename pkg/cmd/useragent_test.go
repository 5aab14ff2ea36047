package cmd

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"k8s.io/cli-runtime/pkg/genericiooptions"
)

// An API server's audit log tells which program has called, and of which version.
func TestUserAgent(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	agents := map[string]bool{}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		agents[r.UserAgent()] = true
		http.Error(w, "no", http.StatusForbidden)
	}))
	defer server.Close()
	kubeconfig := filepath.Join(t.TempDir(), "config")
	config := `{apiVersion: v1, kind: Config, current-context: east, clusters: [{name: e, cluster: {server: "` + server.URL + `"}}],
users: [{name: u, user: {token: t}}], contexts: [{name: east, context: {cluster: e, user: u}}]}`
	if err := os.WriteFile(kubeconfig, []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	streams, _, _, _ := genericiooptions.NewTestIOStreams()
	Main(t.Context(), []string{"kubectl-mesh", "install-primary", "--kubeconfig", kubeconfig, "--cache-dir", t.TempDir()}, streams)
	mu.Lock()
	defer mu.Unlock()
	if len(agents) != 1 {
		t.Errorf("called as %v", agents)
	}
	for agent := range agents {
		if !strings.HasPrefix(agent, "kubectl-mesh/"+Version()+" (") {
			t.Errorf("called as %q", agent)
		}
	}
}
