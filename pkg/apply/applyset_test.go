package apply

import (
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"reflect"
	"slices"
	"strings"
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

// A run that is killed leaves no members without a parent: that one is written, with all kinds, before any member, and
// where it can't be written no member is.
func TestParentBeforeItsMembers(t *testing.T) {
	t.Parallel()
	set := Set{Name: "the-set", Namespace: "ns"}
	members, parent := set.Members([]*unstructured.Unstructured{
		object("ConfigMap", "ns", "a-config"), object("Deployment", "ns", "istiod"), object("CustomResourceDefinition", "", "crd"),
		object("ServiceAccount", "ns", "account"), object("Namespace", "", "member"),
	})
	objects := append(slices.Clone(members), parent, object("Namespace", "", "ns"))
	s := &server{}
	if _, err := s.applier().Apply(t.Context(), objects); err != nil {
		t.Fatal(err)
	}
	if len(s.written) != len(objects) || !slices.Equal(s.written[:3], []string{"ns", "the-set", "member"}) {
		t.Errorf("written are %v", s.written)
	}
	if kinds := "ConfigMap,CustomResourceDefinition,Deployment.apps,Namespace,ServiceAccount"; !strings.Contains(s.bodies["the-set"], kinds) {
		t.Errorf("of %s the parent says %s", kinds, s.bodies["the-set"])
	}

	refusing := &server{fails: map[string]error{"the-set": errors.New("refused")}}
	if _, err := refusing.applier().Apply(t.Context(), objects); err == nil || !slices.Equal(refusing.written, []string{"ns"}) {
		t.Errorf("without a parent %v are written, %v", refusing.written, err)
	}
}

// What a set has had stays in its parent's lists: it is a member until it is deleted.
func TestParentKeepsWhatItLists(t *testing.T) {
	t.Parallel()
	set := Set{Name: "the-set", Namespace: "ns"}
	_, before := set.Members([]*unstructured.Unstructured{object("Secret", "ns", "a"), object("ConfigMap", "old", "b")})
	_, now := set.Members([]*unstructured.Unstructured{object("ConfigMap", "ns", "a"), object("Deployment", "new", "b")})
	_, nowhereElse := set.Members([]*unstructured.Unstructured{object("ConfigMap", "ns", "a")})
	for _, test := range []struct {
		name              string
		wanted            *unstructured.Unstructured
		kinds, namespaces string
	}{
		{"other kinds and namespaces", now, "ConfigMap,Deployment.apps,Secret", "new,old"},
		{"fewer", nowhereElse, "ConfigMap,Secret", "old"},
		{"the same", before, "ConfigMap,Secret", "old"},
	} {
		s := &server{live: map[string]string{"the-set": "1"}, objects: map[string]*unstructured.Unstructured{"the-set": before}}
		if _, err := s.applier().Apply(t.Context(), []*unstructured.Unstructured{test.wanted}); err != nil {
			t.Fatal(err)
		}
		written := &unstructured.Unstructured{}
		if err := written.UnmarshalJSON([]byte(s.bodies["the-set"])); err != nil {
			t.Fatal(err)
		}
		annotations := written.GetAnnotations()
		if annotations[kindsAnnotation] != test.kinds || annotations[namespaceAnnotation] != test.namespaces {
			t.Errorf("%s: the parent lists %v", test.name, annotations)
		}
	}
}
