package main

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/creack/pty"
	"k8s.io/client-go/tools/clientcmd/api"

	"github.com/kubectl-mesh/kubectl-mesh/test/apiserver"
	"github.com/kubectl-mesh/kubectl-mesh/test/kubeconfig"
)

// bareCluster is an API server that allows everything, has nothing, and counts what is to be kept of what it is told.
func bareCluster(t *testing.T) (config string, writes *atomic.Int32) {
	t.Helper()
	writes = &atomic.Int32{}
	bare := apiserver.Bare("east").Handler(t)
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asks := strings.HasSuffix(r.URL.Path, "/selfsubjectaccessreviews")
		if r.Method != http.MethodGet && r.URL.Query().Get("dryRun") == "" && !asks {
			writes.Add(1)
		}
		bare.ServeHTTP(w, r)
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
