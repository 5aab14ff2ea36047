package app

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"k8s.io/cli-runtime/pkg/genericclioptions"
	"k8s.io/client-go/tools/clientcmd/api"

	"github.com/kubectl-mesh/kubectl-mesh/pkg/apply"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/mesh"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/run"
	"github.com/kubectl-mesh/kubectl-mesh/test/apiserver"
	"github.com/kubectl-mesh/kubectl-mesh/test/kubeconfig"
)

// sessionOf is a session whose primary is east, with these API servers; writes counts what is to be kept by them.
func sessionOf(t *testing.T, clusters map[string]apiserver.Answers) (s Session, writes *atomic.Int32) {
	t.Helper()
	writes = &atomic.Int32{}
	entries := map[string]*api.Cluster{}
	for name, answers := range clusters {
		handler := answers.Handler(t)
		server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			asks := r.Method == http.MethodGet || strings.HasSuffix(r.URL.Path, "/selfsubjectaccessreviews")
			if !asks && r.URL.Query().Get("dryRun") == "" {
				writes.Add(1)
			}
			handler.ServeHTTP(w, r)
		}))
		t.Cleanup(server.Close)
		entries[name] = kubeconfig.Of(server)
	}
	path, primary := kubeconfig.Write(t, entries, nil), "east"
	s = Session{Kubeconfig: genericclioptions.NewConfigFlags(false), Namespace: mesh.DefaultNamespace, Version: "v0"}
	s.Kubeconfig.KubeConfig, s.Kubeconfig.Context = &path, &primary
	return s, writes
}

// A dry run of an installation has all its objects, of the steps that write, and writes nothing.
func TestInstallDryRun(t *testing.T) {
	t.Parallel()
	s, writes := sessionOf(t, map[string]apiserver.Answers{"east": apiserver.Bare("uid-east")})
	s.Write.DryRun = apply.DryRunClient
	prepared, err := s.PrepareInstall(t.Context(), InstallPrimary{Network: "network1"})
	if err != nil {
		t.Fatal(err)
	}
	if primary := prepared.Primary(); prepared.Adopted || prepared.Mesh.ID != "mesh1" || primary.Name != "east" || primary.Network != "network1" {
		t.Errorf("prepared is %+v", prepared)
	}
	outcome, err := prepared.Run(t.Context(), func(run.Event) {})
	if err := errors.Join(err, outcome.Err()); err != nil {
		t.Fatal(err)
	}
	var kinds []string
	for _, applied := range outcome.Applied {
		kinds = append(kinds, applied.Result.Wanted.GetKind())
		if !applied.Step.Writes() || applied.Step.Cluster != "east" {
			t.Errorf("%s is applied by step %+v", apply.Name(applied.Result.Wanted), applied.Step)
		}
	}
	for _, kind := range []string{"Namespace", "Deployment", "MutatingWebhookConfiguration"} {
		if !slices.Contains(kinds, kind) {
			t.Errorf("there is no %s among %q", kind, kinds)
		}
	}
	if n := writes.Load(); n > 0 {
		t.Errorf("it has written %d times", n)
	}
}

// What stands in the way of a command is told with the check's id, and nothing is written.
func TestRefused(t *testing.T) {
	t.Parallel()
	s, writes := sessionOf(t, map[string]apiserver.Answers{"east": apiserver.Bare("uid-east"), "west": apiserver.Bare("uid-west")})
	for command, prepare := range map[string]func() error{
		"expose-istiod": func() error { _, err := s.PrepareExpose(t.Context(), ExposeIstiod{}); return err },
		"attach-remote": func() error {
			_, err := s.PrepareAttach(t.Context(), AttachRemote{Remotes: []string{"west"}})
			return err
		},
	} {
		refused, is := errors.AsType[*RefusedError](prepare())
		if !is || len(refused.Causes) == 0 || refused.Causes[0].ID != "no-istiod" {
			t.Errorf("%s of a primary without a control plane: %v", command, refused)
		}
	}
	if n := writes.Load(); n > 0 {
		t.Errorf("it has written %d times", n)
	}
}

// What the user got wrong is told apart from what is wrong with clusters.
func TestUsageErrors(t *testing.T) {
	t.Parallel()
	s, _ := sessionOf(t, map[string]apiserver.Answers{"east": apiserver.Bare("uid-east"), "west": apiserver.Bare("uid-west")})
	for name, call := range map[string]func() error{
		`there is no context "north"`: func() error { _, err := s.Verify(t.Context(), Verify{Remotes: []string{"north"}}); return err },
		`context "east" is the primary itself`: func() error {
			_, err := s.Preflight(t.Context(), Preflight{Remotes: []string{"east"}})
			return err
		},
		`two of the given contexts would be cluster "west"`: func() error {
			_, err := s.Preflight(t.Context(), Preflight{Remotes: []string{"west", "west"}})
			return err
		},
		`--convert-remote "south" is not this cluster`: func() error {
			_, err := s.PrepareInstall(t.Context(), InstallPrimary{ConvertRemote: "south"})
			return err
		},
	} {
		err := call()
		if _, is := errors.AsType[*UsageError](err); !is || !strings.Contains(err.Error(), name) {
			t.Errorf("got %v, want %s", err, name)
		}
	}
}
