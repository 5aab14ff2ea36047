package probe

import (
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"

	"github.com/kubectl-mesh/kubectl-mesh/pkg/observe"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/snapshot"
)

// istiod looks at the probes' namespace, whatever namespaces the mesh selects by their labels.
func TestNamespaceIsSelected(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		key, value string
		help       bool
	}{
		"all":            {help: true},
		"by a label":     {"mesh", "joined", true},
		"by our own":     {"app.kubernetes.io/name", "mesh-probe", true},
		"by its name":    {corev1.LabelMetadataName, "kubectl-mesh-probe-x", true},
		"another's name": {corev1.LabelMetadataName, "shop", false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var discovery snapshot.DiscoverySelectors
			if test.key != "" {
				discovery = snapshot.DiscoverySelectors{{MatchLabels: map[string]string{test.key: test.value}}}
			}
			r := &runner{Options: Options{Target: observe.Target{Primary: "east"}}, traffic: &snapshot.Traffic{Namespace: "kubectl-mesh-probe-x"}}
			r.seen = &snapshot.Snapshot{Clusters: map[string]*snapshot.Cluster{
				"east": {ControlPlanes: []snapshot.ControlPlane{{Revision: "default", DiscoverySelectors: discovery}}},
			}}
			ns, err := r.namespace()
			if !test.help {
				if err == nil || !strings.HasPrefix(err.Error(), "none of the mesh's discoverySelectors selects a new namespace such as kubectl-mesh-probe-x, whatever label it is given") {
					t.Errorf("got %v, %v", ns, err)
				}
				return
			}
			if err != nil || !discovery.Select(ns.Labels) || ns.Labels["istio-injection"] != "enabled" {
				t.Errorf("got %v, %v", ns, err)
			}
		})
	}
}
