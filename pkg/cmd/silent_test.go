package cmd

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"k8s.io/client-go/tools/clientcmd/api"

	"github.com/kubectl-mesh/kubectl-mesh/test/apiserver"
	"github.com/kubectl-mesh/kubectl-mesh/test/kubeconfig"
)

// An API server that does not answer costs its timeout once, whatever is asked of its cluster, and by whom.
func TestSilenceCostsItsTimeoutOnce(t *testing.T) {
	t.Parallel()
	for _, args := range []string{
		"verify --context east",
		"verify west=silent --context east",
		"verify --context silent",
		"verify east --context silent",
		"preflight silent --context east",
		"preflight east --context silent",
		"install-primary --context silent",
		"expose-istiod --context silent",
		"attach-remote silent --context east",
		"attach-remote east --context silent",
	} {
		t.Run(args, func(t *testing.T) {
			t.Parallel()
			silent, calls := apiserver.Silent(t)
			east := primaryServer(t, silent)
			config := kubeconfig.Write(t, map[string]*api.Cluster{"east": kubeconfig.Of(east), "silent": kubeconfig.At(silent)}, nil)
			code, stdout, stderr := mainWith(t.Context(), config, append([]string{"--request-timeout", "2s"}, strings.Fields(args)...)...)
			said := strings.Join(strings.Fields(stdout+stderr), " ")
			if code == ExitOK || !strings.Contains(said, "reachable") || !strings.Contains(said, silent) || !strings.Contains(said, "no answer within 2s") {
				t.Errorf("exit code %d:\n%s", code, said)
			}
			if n := calls.Load(); n != 1 {
				t.Errorf("it was called %d times:\n%s%s", n, stdout, stderr)
			}
		})
	}
}

// A signal while clusters are looked at ends the command as interrupted, and with no judgement of what was not seen.
func TestInterruptedWhileLooking(t *testing.T) {
	t.Parallel()
	for _, args := range []string{
		"verify", "verify -o json", "status", "graph", "preflight west", "install-primary", "expose-istiod", "attach-remote west",
	} {
		t.Run(args, func(t *testing.T) {
			t.Parallel()
			ctx, interrupt := context.WithCancel(t.Context())
			defer interrupt()
			server := httptest.NewTLSServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
				interrupt() // somebody looks
				<-r.Context().Done()
			}))
			defer server.Close()
			config := kubeconfig.Write(t, map[string]*api.Cluster{"east": kubeconfig.Of(server), "west": kubeconfig.Of(server)}, nil)
			code, stdout, stderr := mainWith(ctx, config, append([]string{"--context", "east"}, strings.Fields(args)...)...)
			if code != ExitInterrupted {
				t.Errorf("exit code %d, not %d:\n%s%s", code, ExitInterrupted, stdout, stderr)
			}
			if stdout != "" {
				t.Errorf("it judges:\n%s", stdout)
			}
		})
	}
}

// Whichever request a signal comes with, the command ends as interrupted, and judges nothing.
func TestInterruptedAtAnyRequest(t *testing.T) {
	t.Parallel()
	for _, args := range []string{"verify", "status", "preflight west"} {
		t.Run(args, func(t *testing.T) {
			t.Parallel()
			remote := primaryServer(t, "").URL // whose certificate the secret does not trust
			for at := int32(1); ; at++ {
				east := primaryServer(t, remote)
				config := kubeconfig.Write(t, map[string]*api.Cluster{"east": kubeconfig.Of(east), "west": kubeconfig.Of(east)}, nil)
				ctx, interrupt := context.WithCancel(t.Context())
				answer := east.Config.Handler
				var calls atomic.Int32
				east.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					if calls.Add(1) == at {
						interrupt()
					}
					answer.ServeHTTP(w, r)
				})
				code, stdout, stderr := mainWith(ctx, config, append([]string{"--context", "east"}, strings.Fields(args)...)...)
				interrupted := ctx.Err() != nil
				interrupt()
				if !interrupted {
					return // it has made all its requests
				}
				if code != ExitInterrupted || stdout != "" {
					t.Errorf("exit code %d after request %d:\n%s%s", code, at, stdout, stderr)
				}
			}
		})
	}
}
