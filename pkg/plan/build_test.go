package plan

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/kubectl-mesh/kubectl-mesh/pkg/internal/golden"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/mesh"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/snapshot"
)

// wanted is a mesh of a primary and some remotes, complete as Build gets it.
func wanted(revision string, remotes ...string) mesh.Mesh {
	m := mesh.Mesh{
		ID: "mesh1", Namespace: "istio-system", Revision: revision,
		Clusters: []mesh.Cluster{{Name: "east", Context: "ctx-east", Role: mesh.Primary, Network: "network1"}},
	}
	for _, name := range remotes {
		m.Clusters = append(m.Clusters, mesh.Cluster{Name: name, Context: "ctx-" + name, Role: mesh.Remote, Network: "network1"})
	}
	return m
}

// fresh is what is seen of clusters without Istio.
func fresh(m mesh.Mesh) *snapshot.Snapshot {
	s := &snapshot.Snapshot{Clusters: map[string]*snapshot.Cluster{}}
	for _, c := range m.Clusters {
		s.Clusters[c.Name] = &snapshot.Cluster{Name: c.Name, Context: c.Context, Server: "https://" + c.Name + ".example:6443"}
	}
	return s
}

// render writes a plan as a person would read it. With actions it says what each step is made of.
func render(steps []Step, actions bool) string {
	var text strings.Builder
	for _, s := range steps {
		fmt.Fprintf(&text, "%s  [%s on %s]\n  %s\n", s.ID, s.Stage, s.Cluster, s.Title)
		if actions {
			fmt.Fprintf(&text, "  %T%+v\n", s.Action, s.Action)
		}
		for _, need := range s.Needs {
			fmt.Fprintf(&text, "  needs %s\n", need)
		}
	}
	return text.String()
}

func TestBuild(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name string
		mesh mesh.Mesh
		wait bool
	}{
		{"fresh-primary-alone", wanted(""), true},
		{"fresh-1-remote", wanted("", "west"), true},
		{"fresh-3-remotes", wanted("", "west", "south", "north"), true},
		{"canary-1-remote", wanted("canary", "west"), true},
		{"no-wait-1-remote", wanted("", "west"), false},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			steps := Build(test.mesh, fresh(test.mesh), Options{Wait: test.wait})
			golden.Equal(t, test.name+".txt", render(steps, true))
			sound(t, steps)
		})
	}
}

// sound checks what holds for every plan: each id once, and each need there, before the step that has it.
func sound(t *testing.T, steps []Step) {
	t.Helper()
	var earlier []string
	for _, s := range steps {
		if slices.Contains(earlier, s.ID) {
			t.Errorf("step %s is there twice", s.ID)
		}
		if !strings.HasPrefix(s.ID, s.Cluster+"/") {
			t.Errorf("step %s is done on %s", s.ID, s.Cluster)
		}
		for _, need := range s.Needs {
			if !slices.Contains(earlier, need) {
				t.Errorf("step %s needs %s, which does not come before it", s.ID, need)
			}
		}
		earlier = append(earlier, s.ID)
	}
}

func TestBuildNeedsAPrimary(t *testing.T) {
	t.Parallel()
	m := mesh.Mesh{Clusters: []mesh.Cluster{{Name: "west", Role: mesh.Remote}}}
	if steps := Build(m, fresh(m), Options{Wait: true}); steps != nil {
		t.Errorf("there is a plan without a primary: %s", render(steps, false))
	}
}

// The orders that a mesh stands or falls with, whether or not the command waits for what it wrote.
func TestOrder(t *testing.T) {
	t.Parallel()
	for _, wait := range []bool{true, false} {
		m := wanted("", "west", "south")
		steps := Build(m, fresh(m), Options{Wait: wait})
		for _, order := range []struct{ first, then, why string }{
			{"west/namespace", "east/remote-secret-west", "istiod decides once, when it is told of the cluster, whether it leads there"},
			{"west/token", "east/remote-secret-west", "the secret is made of the token"},
			{"west/reader", "west/token", "the token is the account's"},
			{"east/address", "west/profile", "the profile is made of the address"},
			{"east/gateway", "east/address", "the address is the gateway's"},
			{"east/address", "east/istiod-hosts", "only the address tells whether it is a hostname"},
			{"east/control-plane", "east/gateway", "only the injector can fill in the gateway's image"},
			{"east/gateway-injection", "east/gateway", "only the injector can fill in the gateway's image"},
			{"east/control-plane", "east/exposure", "istiod checks what is published"},
			{"east/control-plane", "east/remote-secret-west", "istiod reads the secret"},
			{"east/namespace", "east/control-plane", "it lives there"},
		} {
			if !before(steps, order.first, order.then) {
				t.Errorf("wait=%v: %s need not be done before %s, but %s", wait, order.first, order.then, order.why)
			}
		}
		for _, free := range [][2]string{{"west/namespace", "south/namespace"}, {"west/profile", "south/profile"}, {"west/reader", "east/address"}} {
			if before(steps, free[0], free[1]) || before(steps, free[1], free[0]) {
				t.Errorf("wait=%v: %s and %s wait for each other without a reason", wait, free[0], free[1])
			}
		}
	}
}

// A remote is no longer one by the time that the control plane is installed.
func TestConverted(t *testing.T) {
	t.Parallel()
	m := wanted("")
	m.Clusters[0].Converted = true
	s := fresh(m)
	s.Clusters["east"].IstiodServices = []snapshot.IstiodService{{Name: "istiod", Written: []string{"istiod", "istiod-6"}}}
	steps := Build(m, s, Options{})
	if got, want := find[DropRemoteProfile](t, steps, "east/no-remote").Slices, s.Clusters["east"].IstiodServices[0].Written; !slices.Equal(got, want) {
		t.Errorf("the slices %q are deleted, want %q", got, want)
	}
	if !before(steps, "east/namespace", "east/no-remote") || !before(steps, "east/no-remote", "east/control-plane") {
		t.Errorf("the order is\n%s", render(steps, false))
	}
	if steps := Build(wanted(""), s, Options{}); slices.ContainsFunc(steps, func(s Step) bool { return s.Stage == ConvertRemote }) {
		t.Errorf("a primary is converted:\n%s", render(steps, false))
	}
}

// before is true when then needs first, directly or through others.
func before(steps []Step, first, then string) bool {
	for _, s := range steps {
		if s.ID != then {
			continue
		}
		for _, need := range s.Needs {
			if need == first || before(steps, first, need) {
				return true
			}
		}
	}
	return false
}

// find returns the action of a step.
func find[A Action](t *testing.T, steps []Step, id string) A {
	t.Helper()
	i := slices.IndexFunc(steps, func(s Step) bool { return s.ID == id })
	if i < 0 {
		t.Fatalf("there is no step %s in:\n%s", id, render(steps, false))
	}
	action, is := steps[i].Action.(A)
	if !is {
		t.Fatalf("step %s is a %T", id, steps[i].Action)
	}
	return action
}
