package plan

import (
	"slices"
	"testing"

	"github.com/kubectl-mesh/kubectl-mesh/pkg/mesh"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/snapshot"
)

// attached is a mesh of the primary east and the remote west, as it is seen when all is well.
func attached() (mesh.Mesh, *snapshot.Snapshot) {
	m := wanted("", "west")
	s := fresh(m)
	east, west := s.Clusters["east"], s.Clusters["west"]
	east.ControlPlanes = []snapshot.ControlPlane{{Revision: "default", Replicas: []snapshot.Replica{
		{Pod: "a", Clusters: []snapshot.SyncedRemote{{ID: "east", Status: "synced"}, {ID: "west", Status: "synced"}}},
	}}}
	east.RemoteSecrets = []snapshot.RemoteSecret{
		{Secret: "istio-remote-secret-west", SecretUID: "uid-secret", Cluster: "west", Server: west.Server, CA: "ca", Token: "token"},
	}
	west.Namespace = &snapshot.Namespace{ControlPlaneClusters: "east"}
	east.RootCert, west.RootCert, west.ReaderToken = "root", "root", &snapshot.ReaderToken{Filled: true, Token: "token", CA: "ca"}
	west.Injectors = []snapshot.Injector{{Revision: "default", CABundles: []string{"root"}}}
	return m, s
}

// When istiod must be told of a remote again, its credentials go and come again; an istiod that listens no more is
// restarted.
func TestRenew(t *testing.T) {
	t.Parallel()
	drop, restart := "east/drop-secret-west", "east/restart-for-west"
	gaveUp := func(s *snapshot.Snapshot) {
		s.Clusters["east"].ControlPlanes[0].Replicas[0].Clusters[1].Status = snapshot.Closed
	}
	held := func(change func(*snapshot.RemoteSecret)) func(*snapshot.Snapshot) {
		return func(s *snapshot.Snapshot) { change(&s.Clusters["east"].RemoteSecrets[0]) }
	}
	for name, test := range map[string]struct {
		change func(s *snapshot.Snapshot)
		want   []string
	}{
		"all is well":           {func(*snapshot.Snapshot) {}, nil},
		"for the first time":    {func(s *snapshot.Snapshot) { s.Clusters["east"].RemoteSecrets = nil }, nil},
		"no namespace":          {func(s *snapshot.Snapshot) { s.Clusters["west"].Namespace = nil }, []string{drop}},
		"another annotation":    {func(s *snapshot.Snapshot) { s.Clusters["west"].Namespace.ControlPlaneClusters = "other" }, []string{drop}},
		"no certificate":        {func(s *snapshot.Snapshot) { s.Clusters["west"].Injectors[0].CABundles = []string{""} }, []string{drop}},
		"another's certificate": {func(s *snapshot.Snapshot) { s.Clusters["west"].Injectors[0].CABundles = []string{"other"} }, []string{drop}},
		"nobody knows the root": {func(s *snapshot.Snapshot) { s.Clusters["east"].RootCert = "" }, nil},
		"revisions with roots of their own": {func(s *snapshot.Snapshot) {
			s.Clusters["east"].Injectors = []snapshot.Injector{{Revision: "default", CABundles: []string{"own"}}}
			s.Clusters["west"].Injectors[0].CABundles = []string{"own"}
		}, nil},
		"another revision, which does not lead": {func(s *snapshot.Snapshot) {
			west := s.Clusters["west"]
			west.Injectors = append(west.Injectors, snapshot.Injector{Revision: "canary", CABundles: []string{""}})
		}, nil},
		"no root certificate": {func(s *snapshot.Snapshot) { s.Clusters["west"].RootCert = "" }, []string{drop}},
		"no root certificate, and none will come": {func(s *snapshot.Snapshot) {
			s.Clusters["west"].RootCert = ""
			s.Clusters["east"].ControlPlanes[0].DiscoverySelectors = snapshot.DiscoverySelectors{{MatchLabels: map[string]string{"mesh": "joined"}}}
		}, nil},
		"a new token":            {func(s *snapshot.Snapshot) { s.Clusters["west"].ReaderToken.Token = "new" }, []string{drop}},
		"a new CA":               {func(s *snapshot.Snapshot) { s.Clusters["west"].ReaderToken.CA = "new" }, []string{drop}},
		"no token yet":           {func(s *snapshot.Snapshot) { s.Clusters["west"].ReaderToken = nil }, []string{drop}},
		"another server":         {func(s *snapshot.Snapshot) { s.Clusters["west"].Server = "https://new.example" }, []string{drop}},
		"a secret of no use":     {held(func(r *snapshot.RemoteSecret) { r.Error = "the kubeconfig is empty" }), []string{drop}},
		"under another name":     {held(func(r *snapshot.RemoteSecret) { r.Secret = "mine" }), []string{drop}},
		"istiod has given up":    {gaveUp, []string{restart}},
		"and the token is new":   {func(s *snapshot.Snapshot) { gaveUp(s); s.Clusters["west"].ReaderToken.Token = "new" }, []string{drop, restart}},
		"and there is no secret": {func(s *snapshot.Snapshot) { gaveUp(s); s.Clusters["east"].RemoteSecrets = nil }, []string{restart}},
		"two secrets": {func(s *snapshot.Snapshot) {
			second := s.Clusters["east"].RemoteSecrets[0]
			second.Secret = "mine"
			s.Clusters["east"].RemoteSecrets = append(s.Clusters["east"].RemoteSecrets, second)
		}, []string{drop}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, wait := range []bool{true, false} {
				m, s := attached()
				test.change(s)
				steps := Slice(Build(m, s, Options{Wait: wait}), AttachRemote)
				sound(t, steps)
				var done []string
				for _, step := range steps {
					if step.ID == drop || step.ID == restart {
						done = append(done, step.ID)
					}
				}
				if !slices.Equal(done, test.want) {
					t.Errorf("wait=%v: done are %q, want %q:\n%s", wait, done, test.want, render(steps, false))
				}
				for _, id := range test.want {
					if !before(steps, "west/token", id) || !before(steps, id, "east/remote-secret-west") {
						t.Errorf("wait=%v: %s is not done between what makes the credentials and these:\n%s", wait, id, render(steps, false))
					}
				}
				if slices.Contains(test.want, drop) != before(steps, "east/forgotten-west", "east/remote-secret-west") {
					t.Errorf("wait=%v: whether istiod must have forgotten it:\n%s", wait, render(steps, false))
				}
			}
		})
	}
}

// Told to keep istiod running, no step restarts it, and none may.
func TestKeepIstiod(t *testing.T) {
	t.Parallel()
	m, s := attached()
	s.Clusters["east"].ControlPlanes[0].Replicas[0].Clusters[1].Status = snapshot.Closed
	s.Clusters["west"].ReaderToken.Token = "new" // so that istiod is to forget it, too
	for keep, want := range map[bool][]string{
		true:  nil,
		false: {"east/restart-for-west", "east/forgotten-west", "east/synced-west"},
	} {
		var may []string
		for _, step := range Build(m, s, Options{Wait: true, NoRestart: keep}) {
			if _, is := step.Action.(RestartIstiod); is || step.MayAlso != "" {
				may = append(may, step.ID)
			}
		}
		if !slices.Equal(may, want) {
			t.Errorf("KeepIstiod %v: istiod may be restarted by %q, want %q", keep, may, want)
		}
	}
}

// A secret is deleted only as it was seen.
func TestDropNamesTheSecretsSeen(t *testing.T) {
	t.Parallel()
	m, s := attached()
	second := s.Clusters["east"].RemoteSecrets[0]
	second.Secret, second.SecretUID = "mine", "uid-mine"
	s.Clusters["east"].RemoteSecrets = append(s.Clusters["east"].RemoteSecrets, second)
	steps := Build(m, s, Options{Wait: true})
	i := slices.IndexFunc(steps, func(s Step) bool { return s.ID == "east/drop-secret-west" })
	want := []SeenSecret{{"istio-remote-secret-west", "uid-secret"}, {"mine", "uid-mine"}}
	if got := steps[i].Action.(DropRemoteSecrets).Secrets; !slices.Equal(got, want) {
		t.Errorf("deleted are %v, want %v", got, want)
	}
}
