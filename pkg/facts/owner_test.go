package facts

import (
	"slices"
	"testing"

	"github.com/kubectl-mesh/kubectl-mesh/pkg/mesh"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/snapshot"
)

func TestAdopted(t *testing.T) {
	t.Parallel()
	m := mesh.Mesh{Clusters: []mesh.Cluster{{Name: "east", Role: mesh.Primary}}}
	for _, test := range []struct {
		name              string
		planes            []snapshot.ControlPlane
		adopted, rendered bool
	}{
		{"none", nil, false, false},
		{"of another revision", []snapshot.ControlPlane{{Revision: "canary", InstalledBy: "helm"}}, false, false},
		{"ours", []snapshot.ControlPlane{{Revision: "default", InstalledBy: "kubectl-mesh", Rendered: true}}, false, true},
		{"istioctl's", []snapshot.ControlPlane{{Revision: "default", InstalledBy: "istioctl"}}, true, false},
		{"nobody's", []snapshot.ControlPlane{{Revision: "default"}}, true, false},
		{"our files, applied by Flux", []snapshot.ControlPlane{{Revision: "default", InstalledBy: "flux", Rendered: true}}, true, true},
	} {
		s := &snapshot.Snapshot{Clusters: map[string]*snapshot.Cluster{"east": {ControlPlanes: test.planes}}}
		if Adopted(m, s) != test.adopted || Rendered(m, s) != test.rendered {
			t.Errorf("%s: adopted is %v, rendered %v", test.name, Adopted(m, s), Rendered(m, s))
		}
	}
	if Adopted(mesh.Mesh{}, &snapshot.Snapshot{}) || Adopted(m, &snapshot.Snapshot{}) {
		t.Error("a control plane that nobody has seen is adopted")
	}
}

func TestRemoteOf(t *testing.T) {
	t.Parallel()
	plane := []snapshot.ControlPlane{{Revision: "default", ClusterID: "west"}}
	annotated := func(value string, planes []snapshot.ControlPlane) *snapshot.Cluster {
		return &snapshot.Cluster{Namespace: &snapshot.Namespace{ControlPlaneClusters: value}, ControlPlanes: planes}
	}
	injector := []snapshot.Injector{{Name: "i", Revision: "default", Paths: []string{"/inject/cluster/west/net/network1"}}}
	for _, test := range []struct {
		name    string
		seen    *snapshot.Cluster
		primary string
		signs   []string
	}{
		{"a bare cluster", &snapshot.Cluster{}, "", nil},
		{"an annotation", annotated("east,south", nil), "east", []string{"annotation topology.istio.io/controlPlaneClusters=east,south"}},
		{"its own annotation", annotated("west,east", plane), "", nil},
		{"anybody's", annotated("*", nil), "", []string{"annotation topology.istio.io/controlPlaneClusters=*"}},
		{"a primary that lets anybody lead", annotated("*", plane), "", nil},
		{"an injector", &snapshot.Cluster{Injectors: injector}, "", []string{"MutatingWebhookConfiguration i calls /inject/cluster/west/net/network1 of an istiod that is not here"}},
		{"an injector of its own istiod", &snapshot.Cluster{Injectors: injector, ControlPlanes: plane}, "", nil},
		{"a Service without pods", &snapshot.Cluster{IstiodServices: []snapshot.IstiodService{{Name: "istiod", ExternalName: "lb.example"}}}, "",
			[]string{"Service istiod leads out of the cluster, to lb.example"}},
		{"an EndpointSlice", &snapshot.Cluster{IstiodServices: []snapshot.IstiodService{{Name: "istiod", Selector: true, Written: []string{"slice"}}}}, "",
			[]string{"EndpointSlice slice leads Service istiod out of the cluster"}},
		{"a primary's Service", &snapshot.Cluster{IstiodServices: []snapshot.IstiodService{{Name: "istiod", Selector: true, Addresses: []string{"10.1.0.5"}}}}, "", nil},
		{"our record", &snapshot.Cluster{Inventory: "record"}, "", []string{"ConfigMap record records that attach-remote was run"}},
	} {
		if primary, signs := RemoteOf(test.seen); primary != test.primary || !slices.Equal(signs, test.signs) {
			t.Errorf("%s: a remote of %q by %q", test.name, primary, signs)
		}
	}
}
