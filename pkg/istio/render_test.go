package istio

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/kubectl-mesh/kubectl-mesh/pkg/internal/golden"
)

// list names objects, sorted, as kind namespace/name.
func list(objects []*unstructured.Unstructured) string {
	var names []string
	for _, o := range objects {
		names = append(names, fmt.Sprintf("%s %s/%s\n", o.GetKind(), o.GetNamespace(), o.GetName()))
	}
	slices.Sort(names)
	return strings.Join(names, "")
}

func primary() Primary {
	return Primary{Namespace: "istio-system", MeshID: "mesh1", Cluster: "east", Network: "network1", DefaultTag: true}
}

func remote() RemoteCluster {
	return RemoteCluster{Namespace: "istio-system", MeshID: "mesh1", Cluster: "west", Network: "network1", Address: "192.0.2.10", DefaultTag: true}
}

func gateway() Gateway { return Gateway{Namespace: "istio-system", Network: "network1"} }

// rendered are the objects that the golden files list, made once, since rendering takes a while. Nobody may change them.
func rendered(t *testing.T) map[string][]*unstructured.Unstructured {
	t.Helper()
	objects, err := renderOnce()
	if err != nil {
		t.Fatal(err)
	}
	return objects
}

var renderOnce = sync.OnceValues(func() (map[string][]*unstructured.Unstructured, error) {
	var c Charts
	canary, canaryRemote, canaryGateway := primary(), remote(), gateway()
	canary.Revision, canaryRemote.Revision, canaryGateway.Revision = "canary", "canary", "canary"
	untagged, untaggedRemote := canary, canaryRemote
	untagged.DefaultTag, untaggedRemote.DefaultTag = false, false
	hostname := remote()
	hostname.Address = "gw.example"
	canaryHostname := canaryRemote
	canaryHostname.Address, canaryHostname.WebhookPort = "gw.example", 15101
	all := map[string][]*unstructured.Unstructured{
		"exposed-istiod":        ExposeIstiod("istio-system", "", 0),
		"exposed-istiod-canary": ExposeIstiod("istio-system", "canary", 0),
	}
	var failed []error
	add := func(name string, objects []*unstructured.Unstructured, err error) {
		all[name] = objects
		failed = append(failed, err)
	}
	for name, p := range map[string]Primary{"primary": primary(), "primary-canary-tagged": canary, "primary-canary": untagged} {
		objects, err := c.Primary(p)
		add(name, objects, err)
	}
	for name, r := range map[string]RemoteCluster{
		"remote": remote(), "remote-hostname": hostname, "remote-canary-hostname": canaryHostname, "remote-canary-tagged": canaryRemote, "remote-canary": untaggedRemote,
	} {
		objects, err := c.Remote(r)
		add(name, objects, err)
	}
	for name, g := range map[string]Gateway{"eastwest": gateway(), "eastwest-canary": canaryGateway} {
		objects, err := c.EastWest(g)
		add(name, objects, err)
	}
	return all, errors.Join(failed...)
})

func TestObjects(t *testing.T) {
	t.Parallel()
	for name, objects := range rendered(t) {
		golden.Equal(t, "objects/"+name+".txt", list(objects))
	}
}
