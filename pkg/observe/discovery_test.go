package observe

import (
	"maps"
	"slices"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kubectl-mesh/kubectl-mesh/pkg/snapshot"
)

func TestDiscoverySelectors(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		mesh   string
		labels string
		// selected, or else what labels it.
		selected bool
		command  string
	}{
		"none":          {mesh: "trustDomain: x", selected: true},
		"an empty list": {mesh: "discoverySelectors: []", selected: true},
		"everything":    {mesh: "discoverySelectors: [{}]", selected: true},
		"by a label":    {mesh: "discoverySelectors: [{matchLabels: {mesh: joined}}]", labels: "mesh=joined", selected: true},
		"no such label": {mesh: "discoverySelectors: [{matchLabels: {mesh: joined, a: b}}]", labels: "a=b",
			command: "label --overwrite namespace istio-system mesh=joined"},
		"another value": {mesh: "discoverySelectors: [{matchLabels: {mesh: joined}}]", labels: "mesh=off",
			command: "label --overwrite namespace istio-system mesh=joined"},
		"the second":          {mesh: "discoverySelectors: [{matchLabels: {a: b}}, {matchLabels: {mesh: joined}}]", labels: "mesh=joined", selected: true},
		"by its name":         {mesh: "discoverySelectors: [{matchLabels: {kubernetes.io/metadata.name: istio-system}}]", selected: true},
		"another by its name": {mesh: "discoverySelectors: [{matchLabels: {kubernetes.io/metadata.name: other}}]"},
		"another by its name, or by a label": {mesh: "discoverySelectors: [{matchLabels: {kubernetes.io/metadata.name: other}}, {matchLabels: {mesh: joined}}]",
			command: "label --overwrite namespace istio-system mesh=joined"},
		"by expressions": {mesh: "discoverySelectors: [{matchExpressions: [{key: env, operator: In, values: [prod, test]}, {key: team, operator: Exists}]}]",
			command: "label --overwrite namespace istio-system env=prod team=true"},
		"by expressions that hold": {mesh: "discoverySelectors: [{matchExpressions: [{key: env, operator: In, values: [prod, test]}]}]", labels: "env=test", selected: true},
		"by what must not be":      {mesh: "discoverySelectors: [{matchExpressions: [{key: team, operator: DoesNotExist}]}]", labels: "team=a"},
		"by what is not":           {mesh: "discoverySelectors: [{matchExpressions: [{key: team, operator: NotIn, values: [b]}]}]", labels: "team=a", selected: true},
		"an invalid one":           {mesh: "discoverySelectors: [{matchExpressions: [{key: team, operator: Like}]}]", selected: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var plane snapshot.ControlPlane
			err := addMeshConfig(&corev1.ConfigMap{Data: map[string]string{"mesh": test.mesh}}, &plane)
			if err != nil {
				t.Fatal(err)
			}
			labels := map[string]string{corev1.LabelMetadataName: "istio-system"}
			if key, value, has := strings.Cut(test.labels, "="); has {
				labels[key] = value
			}
			if got := plane.DiscoverySelectors.Select(labels); got != test.selected {
				t.Errorf("selected: %v", got)
			}
			if got := strings.Join(plane.DiscoverySelectors.LabelArgs("istio-system", labels), " "); got != test.command {
				t.Errorf("labelled by %q, want %q", got, test.command)
			}
			lacking, help := plane.DiscoverySelectors.MissingLabels(labels)
			maps.Copy(labels, lacking)
			if plane.DiscoverySelectors.Select(labels) != help {
				t.Errorf("with %v selected: %v", lacking, !help)
			}
		})
	}
}

// Nothing is lacking where every namespace is looked at.
func TestNothingLacks(t *testing.T) {
	t.Parallel()
	for _, s := range []snapshot.DiscoverySelectors{nil, {metav1.LabelSelector{}}} {
		if lacking, help := s.MissingLabels(nil); len(lacking) > 0 || !help {
			t.Errorf("with %v lacks %v, %v", s, lacking, help)
		}
	}
	joined := snapshot.DiscoverySelectors{{MatchLabels: map[string]string{"mesh": "joined"}}}
	if got := joined.LabelArgs("shop", nil); !slices.Equal(got, []string{"label", "--overwrite", "namespace", "shop", "mesh=joined"}) {
		t.Errorf("a namespace without labels is labelled by %q", got)
	}
}
