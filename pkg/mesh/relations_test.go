package mesh

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

func TestRelations(t *testing.T) {
	t.Parallel()
	primary := func(name, network string) Cluster { return Cluster{Name: name, Role: Primary, Network: network} }
	remote := func(name, network, primary string) Cluster {
		return Cluster{Name: name, Role: Remote, Network: network, Primary: primary}
	}
	for _, test := range []struct {
		name     string
		clusters []Cluster
		// want has, for each primary, whom it serves and whom it reads.
		want []string
	}{
		{"a primary alone", []Cluster{primary("east", "n1")}, []string{"east serves [] reads []"}},
		{"a primary and its remotes", []Cluster{primary("east", "n1"), remote("west", "n1", ""), remote("south", "n2", "east")},
			[]string{"east serves [west south] reads [west south]"}},
		{"two primaries", []Cluster{primary("east", "n1"), primary("west", "n2")},
			[]string{"east serves [] reads [west]", "west serves [] reads [east]"}},
		{"two primaries, each with a remote", []Cluster{primary("east", "n1"), remote("south", "n1", ""), primary("west", "n2"), remote("north", "n2", "west")},
			[]string{"east serves [south] reads [south west north]", "west serves [north] reads [east south north]"}},
		{"a remote that leaves", []Cluster{primary("east", "n1"), remote("west", "n1", ""), {Name: "south", Role: Remote, Detached: true}},
			[]string{"east serves [west] reads [west]"}},
		{"a remote of nobody", []Cluster{primary("east", "n1"), remote("west", "n1", "gone")}, []string{"east serves [] reads [west]"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			m := Mesh{Clusters: test.clusters}
			var got []string
			for _, p := range m.Primaries() {
				got = append(got, fmt.Sprintf("%s serves %v reads %v", p.Name, namesOf(m.ServedBy(p)), namesOf(m.ReadBy(p))))
				seen := m.SeenFrom(p)
				if seen.Clusters[0].Name != p.Name || len(seen.Clusters) != 1+len(m.ReadBy(p)) {
					t.Errorf("seen from %s the mesh is %v", p.Name, namesOf(seen.Clusters))
				}
				for _, one := range m.Primaries() {
					if served := namesOf(seen.ServedBy(one)); !slices.Equal(served, namesOf(m.ServedBy(one))) {
						t.Errorf("seen from %s, %s serves %v", p.Name, one.Name, served)
					}
				}
			}
			if !slices.Equal(got, test.want) {
				t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(test.want, "\n"))
			}
		})
	}
}

func TestNetworks(t *testing.T) {
	t.Parallel()
	m := Mesh{Clusters: []Cluster{{Name: "east", Role: Primary, Network: "n1"}, {Name: "west", Role: Remote, Network: "n2"}, {Name: "south", Role: Remote, Network: "n1"}}}
	if got := m.Networks(); !slices.Equal(got, []string{"n1", "n2"}) {
		t.Errorf("the networks are %q", got)
	}
	if got := namesOf(m.On("n1")); !slices.Equal(got, []string{"east", "south"}) {
		t.Errorf("on n1 are %q", got)
	}
}

func namesOf(clusters []Cluster) []string {
	var names []string
	for _, c := range clusters {
		names = append(names, c.Name)
	}
	return names
}
