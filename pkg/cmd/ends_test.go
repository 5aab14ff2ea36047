package cmd

import (
	"context"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"k8s.io/cli-runtime/pkg/genericiooptions"
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
				kubeconfig := filepath.Join(t.TempDir(), "config")
				text := fmt.Sprintf(`apiVersion: v1
kind: Config
clusters: [{name: c, cluster: {server: "https://192.0.2.1:6443"}}]
contexts:
- {name: east, context: {cluster: c, user: user}}
- {name: west, context: {cluster: c, user: user}}
users: [{name: user, user: {exec: {apiVersion: client.authentication.k8s.io/v1, command: %q, interactiveMode: Never}}}]
`, plugin)
				if err := os.WriteFile(kubeconfig, []byte(text), 0o600); err != nil {
					t.Fatal(err)
				}
				ctx, interrupt := context.WithCancel(t.Context())
				defer interrupt()
				streams, _, stdout, stderr := genericiooptions.NewTestIOStreams()
				line := append([]string{"kubectl-mesh", "--kubeconfig", kubeconfig, "--context", "east"}, strings.Fields(command)...)
				if limit == "Ctrl-C" {
					go func() { runs(); interrupt() }()
				} else {
					line = append(line, strings.Fields(limit)...)
				}
				code := Main(ctx, line, streams)
				said := strings.Join(strings.Fields(stdout.String()+stderr.String()), " ")
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
	silent, _ := silentServer(t)
	east := primaryServer(t, silent)
	authority := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: east.Certificate().Raw})
	kubeconfig := filepath.Join(t.TempDir(), "config")
	text := fmt.Sprintf(`apiVersion: v1
kind: Config
clusters:
- {name: east, cluster: {server: %q, certificate-authority-data: %s}}
- {name: silent, cluster: {server: %q}}
contexts:
- {name: east, context: {cluster: east, user: user}}
- {name: silent, context: {cluster: silent, user: user}}
users: [{name: user, user: {token: a-token}}]
`, east.URL, base64.StdEncoding.EncodeToString(authority), silent)
	if err := os.WriteFile(kubeconfig, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, args := range []string{
		"verify --only reachable -o wide",
		"verify west=silent --only reachable -o wide",
		"verify west=silent --only reachable -o json",
		"preflight west=silent --only reachable -o wide",
		"status west=silent",
	} {
		t.Run(args, func(t *testing.T) {
			t.Parallel()
			streams, _, stdout, stderr := genericiooptions.NewTestIOStreams()
			line := append([]string{"kubectl-mesh", "--kubeconfig", kubeconfig, "--context", "east", "--timeout", "8s"}, strings.Fields(args)...)
			code := Main(t.Context(), line, streams)
			out := strings.Join(strings.Fields(stdout.String()), " ")
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
			authority := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
			kubeconfig := filepath.Join(t.TempDir(), "config")
			text := fmt.Sprintf(`apiVersion: v1
kind: Config
clusters: [{name: c, cluster: {server: %q, certificate-authority-data: %s}}]
contexts: [{name: east, context: {cluster: c, user: user}}]
users: [{name: user, user: {token: a-token}}]
`, server.URL, base64.StdEncoding.EncodeToString(authority))
			if err := os.WriteFile(kubeconfig, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			streams, _, stdout, stderr := genericiooptions.NewTestIOStreams()
			line := append([]string{"kubectl-mesh", "--kubeconfig", kubeconfig, "--context", "east"}, strings.Fields(args)...)
			if code := Main(t.Context(), line, streams); code != ExitUnknown {
				t.Errorf("exit code %d:\n%s%s", code, stdout, stderr)
			}
			if got := strings.Contains(stderr.String(), "request made again"); got != told {
				t.Errorf("told is %v, not %v:\n%s", got, told, stderr)
			}
		})
	}
}
