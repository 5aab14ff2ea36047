package plan

import (
	"slices"
	"testing"

	"github.com/kubectl-mesh/kubectl-mesh/pkg/snapshot"
)

// A primary that another tool installed may lack the label of its network; one that has it is left alone.
func TestNetworkLabel(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		namespace *snapshot.Namespace
		want      bool
	}{
		"no label":          {&snapshot.Namespace{}, true},
		"another network's": {&snapshot.Namespace{Network: "network2"}, true},
		"labelled":          {&snapshot.Namespace{Network: "network1"}, false},
		"no namespace yet":  {nil, false}, // it is created with the label
	} {
		m := wanted("")
		s := fresh(m)
		s.Clusters["east"].Namespace = test.namespace
		steps := Slice(Build(m, s, Options{}), ExposeIstiod)
		if got := slices.ContainsFunc(steps, func(s Step) bool { return s.ID == "east/network" }); got != test.want {
			t.Errorf("%s: that the namespace is labelled is %v", name, got)
		}
	}
}
