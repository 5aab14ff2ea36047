package apply

import (
	"crypto/sha256"
	"encoding/base64"
	"reflect"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

func TestSet(t *testing.T) {
	t.Parallel()
	set := Set{Name: "kubectl-mesh-primary", Namespace: "istio-system", Tooling: "kubectl-mesh/v1.2.3"}
	labelled := object("Deployment", "istio-system", "istiod")
	labelled.SetLabels(map[string]string{"app": "istiod"})
	given := []*unstructured.Unstructured{
		labelled, object("ConfigMap", "istio-system", "istio"), object("ConfigMap", "kube-system", "cni"), object("ClusterRole", "", "istiod"),
	}
	members, parent := set.Members(given)
	if len(members) != len(given) {
		t.Fatalf("of %d objects %d are members", len(given), len(members))
	}
	for _, m := range members {
		if m.GetLabels()["applyset.kubernetes.io/part-of"] != set.ID() {
			t.Errorf("%s is no member: %v", Name(m), m.GetLabels())
		}
	}
	if members[0].GetLabels()["app"] != "istiod" {
		t.Error("a label is lost")
	}
	if len(labelled.GetLabels()) != 1 {
		t.Error("the object that was given has changed")
	}
	want := map[string]any{
		"apiVersion": "v1", "kind": "ConfigMap",
		"metadata": map[string]any{
			"name": "kubectl-mesh-primary", "namespace": "istio-system",
			"labels": map[string]any{"applyset.kubernetes.io/id": set.ID()},
			"annotations": map[string]any{
				"applyset.kubernetes.io/tooling":               "kubectl-mesh/v1.2.3",
				"applyset.kubernetes.io/contains-group-kinds":  "ClusterRole,ConfigMap,Deployment.apps",
				"applyset.kubernetes.io/additional-namespaces": "kube-system",
			},
		},
	}
	if !reflect.DeepEqual(parent.Object, want) {
		t.Errorf("the set is recorded as\n%v, want\n%v", parent.Object, want)
	}
}

func TestSetInOneNamespace(t *testing.T) {
	t.Parallel()
	_, parent := Set{Name: "s", Namespace: "ns"}.Members([]*unstructured.Unstructured{object("ConfigMap", "ns", "a")})
	if _, named := parent.GetAnnotations()[namespaceAnnotation]; named {
		t.Errorf("other namespaces are named: %v", parent.GetAnnotations())
	}
}

// kubectl finds a set only under the id that the KEP has it compute.
func TestSetID(t *testing.T) {
	t.Parallel()
	sum := sha256.Sum256([]byte("kubectl-mesh-primary.istio-system.ConfigMap."))
	want := "applyset-" + base64.RawURLEncoding.EncodeToString(sum[:]) + "-v1"
	set := Set{Name: "kubectl-mesh-primary", Namespace: "istio-system"}
	if set.ID() != want {
		t.Errorf("got %s, want %s", set.ID(), want)
	}
}
