package check

import (
	"slices"
	"strings"
	"testing"

	"github.com/kubectl-mesh/kubectl-mesh/pkg/command"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/mesh"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/snapshot"
)

// throughSecret makes west a cluster to which no context leads, read with the credentials of its remote secret.
func throughSecret(w *world) {
	w.cluster("west").Context = ""
	w.west().Context, w.west().Secret = "", "istio-remote-secret-west"
	w.snapshot.Traffic = nil
}

// readersView is what the account of a remote secret may not read.
func readersView(w *world) {
	throughSecret(w)
	for _, part := range []string{snapshot.ControlPlanes, snapshot.AmbientPart, snapshot.InjectionPart} {
		w.west().Unreadable = append(w.west().Unreadable, snapshot.Unreadable{What: part, Reason: part + " is forbidden"})
	}
	w.west().Injection = nil
}

func contextScenarios() []scenario {
	return []scenario{
		{
			name:   "no context, and nothing is forbidden",
			change: throughSecret,
		},
		{
			name:   "no context, and the reader's role",
			change: readersView,
			want:   []string{"unknown own-control-plane west", "unknown injection west", "unknown mixed-ambient west"},
		},
		{
			name: "no context, and the secret's server does not answer here",
			change: func(w *world) {
				throughSecret(w)
				w.west().Unreadable = couldNotRead(snapshot.APIServer, "no answer within 3s")
				w.west().Use = &snapshot.CredentialUse{Problem: snapshot.ServerUnreachable, Error: "no answer within 3s"}
				w.secret().Use = w.west().Use
			},
			want: []string{"unknown reachable west"},
		},
		{
			name: "no context, and the token is refused",
			change: func(w *world) {
				throughSecret(w)
				w.west().Unreadable = couldNotRead(snapshot.APIServer, "Unauthorized")
				w.secret().Use = &snapshot.CredentialUse{Problem: snapshot.TokenRefused, Error: "Unauthorized"}
			},
			want: []string{"unknown reachable west", "fail token-expired west"},
		},
		{
			name: "no context, and no EndpointSlice",
			change: func(w *world) {
				throughSecret(w)
				w.west().IstiodServices[0].Addresses = nil
			},
			want: []string{"fail slice-missing west"},
		},
		{
			name: "no context, and another network's label",
			change: func(w *world) {
				throughSecret(w)
				w.west().Namespace.Network = "network9"
			},
			want: []string{"fail network-label west"},
		},
		{
			name: "no context to two clusters that differ",
			change: func(w *world) {
				throughSecret(w)
				w.cluster("south").Context = ""
				w.west().Services, w.snapshot.Clusters["south"].Services = map[string][]string{"shop": {"cart"}}, map[string][]string{}
				w.east().Injected, w.east().RootCerts = nil, map[string]string{"istio-system": "root"}
			},
			want: []string{"warn service-asymmetric south"},
		},
		{
			name: "no context, and a probe",
			change: func(w *world) {
				traffic := w.snapshot.Traffic
				throughSecret(w)
				w.snapshot.Traffic = traffic
				traffic.Calls = quickTraffic([]string{"east", "south"}).Calls
			},
			want: []string{"unknown probe-ready west"},
		},
		{
			name: "a context and a secret of one cluster",
			change: func(w *world) {
				throughSecret(w)
				w.west().UID = "uid-south"
			},
			want: []string{"fail same-cluster west"},
		},
	}
}

func TestContext(t *testing.T) {
	t.Parallel()
	play(t, "context.txt", contextScenarios())
}

// A command without a context would go to the current one, which is another cluster.
func TestNoFixLacksItsContext(t *testing.T) {
	t.Parallel()
	for _, s := range all() {
		if s.command != "" {
			continue // before a command writes, every cluster has one
		}
		change := s.change
		s.change = func(w *world) {
			change(w)
			for i := range w.mesh.Clusters {
				if w.mesh.Clusters[i].Role == mesh.Remote {
					w.mesh.Clusters[i].Context = ""
				}
			}
		}
		for _, r := range s.results() {
			lacking := ""
			for _, c := range slices.Concat(r.Fix.Commands, r.Fix.Inspect) {
				i := slices.Index(c.Argv, "--context")
				if !slices.Contains([]string{"kubectl", "istioctl"}, c.Argv[0]) || slices.Contains(c.Argv, "--local") {
					continue
				}
				if i < 0 || c.Argv[i+1] == "" || strings.HasPrefix(c.Argv[i+1], "-") {
					t.Errorf("%s: %s has the command %s", s.name, r.ID, c)
				}
				for _, word := range c.Argv {
					if _, name, found := strings.Cut(word, command.NoContext); found {
						lacking = name
						if !slices.Contains(c.Placeholders, command.NoContext+name) {
							t.Errorf("%s: %s has the command %s, which is told for one that runs", s.name, r.ID, c)
						}
					}
				}
			}
			if (lacking != "") != strings.Contains(r.Fix.Advice, "your kubeconfig has no context of "+lacking) {
				t.Errorf("%s: %s does not say which context lacks: %+v", s.name, r.ID, r.Fix)
			}
		}
	}
}
