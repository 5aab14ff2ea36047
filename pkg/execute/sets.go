package execute

import (
	"maps"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/kubectl-mesh/kubectl-mesh/pkg/apply"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/istio"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/istio/wellknown"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/plan"
)

// inSets records which objects belong together: what all revisions share in a set apart from the step's own.
func (e *Executor) inSets(own objectSet, record map[string]string) []*unstructured.Unstructured {
	sets := map[string][]*unstructured.Unstructured{}
	for _, object := range own.objects {
		name := own.name
		if istio.Shared(object) {
			// A set is recorded whole each time, so that those of different steps are different sets.
			name = e.sharedSet(own.name)
		}
		sets[name] = append(sets[name], object)
	}
	var all []*unstructured.Unstructured
	for _, name := range slices.Sorted(maps.Keys(sets)) {
		set := e.applySet(name)
		if name == own.name {
			set.Data = record
		}
		members, parent := set.Members(sets[name])
		all = append(append(all, members...), parent)
	}
	return all
}

// record is what is written down of the settings that a set of objects is made with.
func (e *Executor) record(cluster, set string) (map[string]string, error) {
	switch set {
	case e.set(istio.PrimarySet), istio.EastWestSet, e.set(istio.RemoteSet):
		return e.chartsOf(cluster).Record()
	}
	return nil, nil
}

// chartsOf are the charts with the settings of a cluster.
func (e *Executor) chartsOf(cluster string) istio.Charts {
	if charts, found := e.Settings[cluster]; found {
		return charts
	}
	return e.Charts
}

// set names the ConfigMap that records a set of objects of the mesh's revision.
func (e *Executor) set(name string) string {
	return wellknown.Revisioned(name, e.Mesh.Revision)
}

// sharedSet names the ConfigMap that records what all revisions have in common with a set of the mesh's revision.
func (e *Executor) sharedSet(set string) string {
	return strings.TrimSuffix(set, "-"+e.Mesh.Revision) + "-shared"
}

// partSet names the ConfigMap that records a part of the remote profile.
func (e *Executor) partSet(part plan.RemotePart) string {
	switch part {
	case plan.CRDPart:
		return e.set(wellknown.FieldManager + "-crds")
	case plan.ReaderPart:
		return e.set(wellknown.FieldManager + "-reader")
	}
	return e.set(istio.RemoteSet)
}

func (e *Executor) applySet(name string) apply.Set {
	return apply.Set{Name: name, Namespace: e.Mesh.Namespace, Tooling: wellknown.FieldManager + "/" + e.Version}
}
