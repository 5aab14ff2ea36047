package plan

import (
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/kubectl-mesh/kubectl-mesh/pkg/internal/golden"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/snapshot"
)

// Each command is a slice of the one plan: the stages together are the whole, and nothing else.
func TestSlice(t *testing.T) {
	t.Parallel()
	m := wanted("", "west")
	whole := Build(m, fresh(m), Options{Wait: true})
	before := render(whole, true)
	var ids []string
	for _, stage := range []Stage{InstallPrimary, ExposeIstiod, AttachRemote} {
		slice := Slice(whole, stage)
		sound(t, slice)
		for _, s := range slice {
			if s.Stage != stage {
				t.Errorf("step %s is of %s, not %s", s.ID, s.Stage, stage)
			}
			ids = append(ids, s.ID)
		}
	}
	var all []string
	for _, s := range whole {
		all = append(all, s.ID)
	}
	if !slices.Equal(ids, all) {
		t.Errorf("the stages together are\n%s\nthe plan is\n%s", strings.Join(ids, "\n"), strings.Join(all, "\n"))
	}
	if got := Slice(whole, InstallPrimary, ExposeIstiod, AttachRemote); render(got, true) != before {
		t.Errorf("the slice of all stages is not the plan:\n%s", render(got, true))
	}
	if after := render(whole, true); after != before {
		t.Error("slicing has changed the plan that was sliced")
	}
	golden.Equal(t, "slice-attach-remote.txt", render(Slice(whole, AttachRemote), false))
}

// Attaching one cluster does for it what attaching three at once does.
func TestAttachingOneIsASliceOfAttachingMany(t *testing.T) {
	t.Parallel()
	many, one := wanted("", "north", "west", "south"), wanted("", "west")
	s := fresh(many)
	var about []Step
	for _, step := range Slice(Build(many, s, Options{Wait: true}), AttachRemote) {
		if step.Concerns("west") {
			about = append(about, step)
		}
	}
	alone := Slice(Build(one, s, Options{Wait: true}), AttachRemote)
	if !reflect.DeepEqual(about, alone) {
		t.Errorf("of many:\n%s\nalone:\n%s", render(about, true), render(alone, true))
	}
	if len(alone) == 0 {
		t.Error("nothing is done to attach a cluster")
	}
}

func TestConcerns(t *testing.T) {
	t.Parallel()
	m := wanted("", "west", "west-2")
	var about []string
	for _, s := range Build(m, fresh(m), Options{Wait: true}) {
		if s.Concerns("west") {
			about = append(about, s.ID)
		}
	}
	want := []string{
		"west/namespace", "west/reader", "west/crds", "west/profile", "west/token", "west/served", "east/remote-secret-west", "east/synced-west",
		"west/ca-bundle", "west/root-cert", "west/injection",
	}
	if !slices.Equal(about, want) {
		t.Errorf("got %v, want %v", about, want)
	}
}

// What the user is asked to confirm are the steps that write, and --wait=false drops others only.
func TestWrites(t *testing.T) {
	t.Parallel()
	m := wanted("", "west")
	writes := func(wait bool) (writing, others []string) {
		for _, s := range Build(m, fresh(m), Options{Wait: wait}) {
			if s.Writes() {
				writing = append(writing, s.ID)
			} else {
				others = append(others, s.ID)
			}
		}
		return writing, others
	}
	writing, _ := writes(true)
	want := []string{
		"east/namespace", "east/control-plane", "east/gateway", "east/exposure", "east/istiod-hosts",
		"west/namespace", "west/reader", "west/crds", "west/profile", "east/remote-secret-west",
	}
	if !slices.Equal(writing, want) {
		t.Errorf("the steps that write are %v, want %v", writing, want)
	}
	writing, others := writes(false)
	if !slices.Equal(writing, want) {
		t.Errorf("without waiting the steps that write are %v, want %v", writing, want)
	}
	// Of these a later write is made.
	if want := []string{"east/gateway-injection", "east/address", "west/token"}; !slices.Equal(others, want) {
		t.Errorf("without waiting the other steps are %v, want %v", others, want)
	}
}

func TestPermissions(t *testing.T) {
	t.Parallel()
	var text strings.Builder
	for _, stage := range []Stage{InstallPrimary, ConvertRemote, ExposeIstiod, AttachRemote, "verify"} {
		primary, remote := Permissions(stage, "istio-system")
		for _, side := range []struct {
			name  string
			asked []snapshot.Permission
		}{{"primary", primary}, {"remote", remote}} {
			for _, p := range side.asked {
				text.WriteString(strings.Join([]string{string(stage), side.name, p.Verb, p.Resource, p.Group, p.Namespace, p.Name}, "\t") + "\n")
			}
		}
	}
	golden.Equal(t, "permissions.txt", text.String())
}
