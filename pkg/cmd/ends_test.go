package cmd

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"k8s.io/client-go/tools/clientcmd/api"

	"github.com/kubectl-mesh/kubectl-mesh/test/apiserver"
	"github.com/kubectl-mesh/kubectl-mesh/test/kubeconfig"
)

// hangingPlugin is a credential plugin that runs as long as the test process does; runs waits for its start.
func hangingPlugin(t *testing.T) (plugin string, runs func()) {
	t.Helper()
	folder := t.TempDir()
	begun := filepath.Join(folder, "begun")
	if err := syscall.Mkfifo(begun, 0o600); err != nil {
		t.Fatal(err)
	}
	pipe, err := os.OpenFile(begun, os.O_RDWR, 0) // for both, so that no end waits for the other
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { pipe.Close() })
	plugin = filepath.Join(folder, "login")
	script := fmt.Sprintf("#!/bin/sh\necho > %s\nwhile kill -0 %d 2>/dev/null; do sleep 1; done\n", begun, os.Getpid())
	if err := os.WriteFile(plugin, []byte(script), 0o700); err != nil {
		t.Fatal(err)
	}
	return plugin, func() { _, _ = pipe.Read(make([]byte, 1)) }
}

// A credential plugin that hangs ends with --timeout, with --request-timeout and with the first Ctrl-C, and is named.
func TestPluginThatHangs(t *testing.T) {
	t.Parallel()
	for _, command := range []string{"verify", "status", "preflight west", "install-primary", "expose-istiod", "attach-remote west"} {
		for _, limit := range []string{"--timeout 2s", "--request-timeout 2s", "Ctrl-C"} {
			t.Run(command+" "+limit, func(t *testing.T) {
				t.Parallel()
				plugin, runs := hangingPlugin(t)
				server := kubeconfig.At("https://192.0.2.1:6443")
				config := kubeconfig.Write(t, map[string]*api.Cluster{"east": server, "west": server}, &api.AuthInfo{Exec: &api.ExecConfig{
					APIVersion: "client.authentication.k8s.io/v1", Command: plugin, InteractiveMode: api.NeverExecInteractiveMode,
				}})
				ctx, interrupt := context.WithCancel(t.Context())
				defer interrupt()
				line := append([]string{"--context", "east"}, strings.Fields(command)...)
				if limit == "Ctrl-C" {
					go func() { runs(); interrupt() }()
				} else {
					line = append(line, strings.Fields(limit)...)
				}
				code, stdout, stderr := mainWith(ctx, config, line...)
				said := strings.Join(strings.Fields(stdout+stderr), " ")
				switch {
				case limit == "Ctrl-C" && code != ExitInterrupted:
					t.Errorf("exit code %d:\n%s", code, said)
				case limit != "Ctrl-C" && (code == ExitOK || !strings.Contains(said, "credential plugin") || !strings.Contains(said, "login")):
					t.Errorf("exit code %d, and it does not name the plugin:\n%s", code, said)
				}
			})
		}
	}
}

// Where --timeout ends a command while one cluster is silent, what the others said is shown, and the silent one is named.
func TestTimeoutWhileOneIsSilent(t *testing.T) {
	t.Parallel()
	silent, _ := apiserver.Silent(t)
	east := primaryServer(t, silent)
	config := kubeconfig.Write(t, map[string]*api.Cluster{"east": kubeconfig.Of(east), "silent": kubeconfig.At(silent)}, nil)
	for _, args := range []string{
		"verify --only reachable -o wide",
		"verify west=silent --only reachable -o wide",
		"verify west=silent --only reachable -o json",
		"preflight west=silent --only reachable -o wide",
		"status west=silent",
	} {
		t.Run(args, func(t *testing.T) {
			t.Parallel()
			code, stdout, stderr := mainWith(t.Context(), config, append([]string{"--context", "east", "--timeout", "8s"}, strings.Fields(args)...)...)
			out := strings.Join(strings.Fields(stdout), " ")
			if code != ExitUnknown || !strings.Contains(out, "v1.35.4") || !strings.Contains(out, "no answer within") {
				t.Errorf("exit code %d:\n%s%s", code, stdout, stderr)
			}
		})
	}
}

// -v tells that a request is made again, and why.
func TestRetriesAreTold(t *testing.T) {
	t.Parallel()
	for args, told := range map[string]bool{"verify": false, "verify -v": true} {
		t.Run(args, func(t *testing.T) {
			t.Parallel()
			server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Type", "text/html")
				w.WriteHeader(http.StatusBadGateway)
			}))
			defer server.Close()
			config := kubeconfig.Write(t, map[string]*api.Cluster{"east": kubeconfig.Of(server)}, nil)
			code, stdout, stderr := mainWith(t.Context(), config, append([]string{"--context", "east"}, strings.Fields(args)...)...)
			if code != ExitUnknown {
				t.Errorf("exit code %d:\n%s%s", code, stdout, stderr)
			}
			if got := strings.Contains(stderr, "request made again"); got != told {
				t.Errorf("told is %v, not %v:\n%s", got, told, stderr)
			}
		})
	}
}
