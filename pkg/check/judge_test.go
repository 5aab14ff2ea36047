package check

import (
	"fmt"
	"slices"
	"testing"

	"github.com/kubectl-mesh/kubectl-mesh/pkg/mesh"
)

// failing is a check that fails for these clusters, and passes for others.
func failing(id string, subject Subject, clusters ...string) Check {
	return Check{ID: id, Subject: subject, judge: func(v view) []Result {
		var results []Result
		for _, c := range v.mesh.Clusters {
			r := pass("well")[0]
			if slices.Contains(clusters, c.Name) {
				r = fail(Fix{}, "broken")[0]
			}
			r.Cluster = c.Name
			results = append(results, r)
		}
		return results
	}}
}

// failingFor is a check that fails for a cluster as one control plane sees it.
func failingFor(id, controlPlane, cluster string) Check {
	return Check{ID: id, Subject: OfLink, judge: func(v view) []Result {
		if v.home.Name != controlPlane {
			return nil
		}
		r := fail(Fix{}, "broken")[0]
		r.Cluster = cluster
		return []Result{r}
	}}
}

// A check is skipped where one that it needs has failed: for the same cluster or, with NeedsOfPrimary, for the cluster of the
// control plane.
func TestNeeds(t *testing.T) {
	t.Parallel()
	needing := func(c Check, needs, ofPrimary []string) Check {
		c.Needs, c.NeedsOfPrimary = needs, ofPrimary
		return c
	}
	everywhere := []string{"east", "west", "south"}
	one := mesh.Mesh{Clusters: []mesh.Cluster{{Name: "east", Role: mesh.Primary}, {Name: "west", Role: mesh.Remote}, {Name: "south", Role: mesh.Remote}}}
	two := mesh.Mesh{Clusters: []mesh.Cluster{{Name: "east", Role: mesh.Primary}, {Name: "west", Role: mesh.Primary}, {Name: "south", Role: mesh.Remote}}}
	for _, test := range []struct {
		name   string
		mesh   mesh.Mesh
		checks []Check
		// want are the results of the last check.
		want []string
	}{
		{
			"a need of the cluster itself", one,
			[]Check{failing("first", OfLink, "west"), needing(failing("last", OfLink, everywhere...), []string{"first"}, nil)},
			[]string{"fail east", "skip west first", "fail south"},
		},
		{
			"a need of the primary", one,
			[]Check{failing("first", OfLink, "east"), needing(failing("last", OfLink, everywhere...), nil, []string{"first"})},
			[]string{"fail east", "skip west first", "skip south first"},
		},
		{
			"a need of the primary, of which a remote fails", one,
			[]Check{failing("first", OfLink, "west"), needing(failing("last", OfLink, everywhere...), nil, []string{"first"})},
			[]string{"fail east", "fail west", "fail south"},
		},
		{
			"what passes is not skipped", one,
			[]Check{failing("first", OfLink, everywhere...), needing(failing("last", OfLink, "west"), []string{"first"}, []string{"first"})},
			[]string{"pass east", "skip west first", "pass south"},
		},
		{
			"of several control planes the one that is concerned", two,
			[]Check{failingFor("first", "west", "south"), needing(failing("last", OfLink, "south"), []string{"first"}, nil)},
			[]string{"pass east", "pass west", "fail south", "pass west", "pass east", "skip south first"},
		},
		{
			"a need of the other primary", two,
			[]Check{failingFor("first", "west", "west"), needing(failing("last", OfLink, "south"), nil, []string{"first"})},
			[]string{"pass east", "pass west", "fail south", "pass west", "pass east", "skip south first"},
		},
		{
			"what is about clusters alone concerns all control planes", two,
			[]Check{failing("first", OfCluster, "south"), needing(failing("last", OfLink, "south"), []string{"first"}, nil)},
			[]string{"pass east", "pass west", "skip south first", "pass west", "pass east", "skip south first"},
		},
		{
			"what is about clusters alone needs all control planes", two,
			[]Check{failingFor("first", "west", "south"), needing(failing("last", OfCluster, "south"), []string{"first"}, nil)},
			[]string{"pass east", "pass west", "skip south first"},
		},
	} {
		var got []string
		for _, r := range judge(test.checks, viewsOf(test.mesh, view{})) {
			if r.ID != "last" {
				continue
			}
			text := fmt.Sprintf("%s %s", r.Status, r.Cluster)
			if r.Needs != "" {
				text += " " + r.Needs
			}
			got = append(got, text)
		}
		if !slices.Equal(got, test.want) {
			t.Errorf("%s: got %q, want %q", test.name, got, test.want)
		}
	}
}
