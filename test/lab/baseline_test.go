package lab

import (
	"maps"
	"reflect"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	dynamicfake "k8s.io/client-go/dynamic/fake"
	"k8s.io/client-go/kubernetes/scheme"
)

func exampleObject(kind, resource, namespace, name string, more map[string]any) object {
	of := &unstructured.Unstructured{Object: map[string]any{"apiVersion": "v1", "kind": kind}}
	of.SetNamespace(namespace)
	of.SetName(name)
	of.SetUID(types.UID(name))
	maps.Copy(of.Object, more)
	return object{schema.GroupVersionResource{Version: "v1", Resource: resource}, namespace != "", of}
}

func TestBaselineIsReadAsItWasWritten(t *testing.T) {
	one := exampleObject("Service", "services", "default", "kubernetes", map[string]any{
		"spec": map[string]any{"ports": []any{map[string]any{"port": int64(443)}}},
	})
	raw, err := marshalObjects([]object{one})
	if err != nil {
		t.Fatal(err)
	}
	got, err := unmarshalObjects(raw)
	if err != nil || !reflect.DeepEqual(got, map[string]object{one.key(): one}) {
		t.Errorf("read %+v (%v); want %+v", got, err, one)
	}
	if _, err := unmarshalObjects([]byte(`[{"apiVersion":"v1","kind":"Service"}]`)); err == nil {
		t.Error("objects without their resources are taken")
	}
}

func TestRestored(t *testing.T) {
	labelled := func(of object, key, value string) object {
		of = object{of.Resource, of.Namespaced, of.DeepCopy()}
		of.SetLabels(map[string]string{key: value})
		return of
	}
	namespace := exampleObject("Namespace", "namespaces", "", "default", map[string]any{"status": map[string]any{"phase": "Active"}})
	config := exampleObject("ConfigMap", "configmaps", "kube-system", "settings", map[string]any{"data": map[string]any{"a": "b"}})
	changed := exampleObject("ConfigMap", "configmaps", "kube-system", "settings", map[string]any{"data": map[string]any{"a": "c"}})
	extended := exampleObject("ConfigMap", "configmaps", "kube-system", "settings", map[string]any{
		"data": map[string]any{"a": "b"}, "binaryData": map[string]any{"x": "eA=="},
	})
	node := exampleObject("Node", "nodes", "", "node", map[string]any{
		"spec": map[string]any{"podCIDR": "10.1.0.0/24"}, "status": map[string]any{"x": "first"},
	})
	tainted := exampleObject("Node", "nodes", "", "node", map[string]any{
		"spec":   map[string]any{"podCIDR": "10.1.0.0/24", "unschedulable": true, "taints": []any{map[string]any{"key": "k"}}},
		"status": map[string]any{"x": "later"},
	})
	for name, test := range map[string]struct {
		now, first object
		changed    bool
	}{
		"as it was":       {namespace, namespace, false},
		"labelled":        {labelled(namespace, "istio-injection", "enabled"), namespace, true},
		"changed":         {changed, config, true},
		"extended":        {extended, config, true},
		"a node, tainted": {tainted, node, true},
	} {
		t.Run(name, func(t *testing.T) {
			got, changed := restored(test.now, test.first)
			if changed != test.changed {
				t.Fatalf("changed: %v; want %v", changed, test.changed)
			}
			want := test.first.DeepCopy()
			if status, found := test.now.Object["status"]; found {
				want.Object["status"] = status // It is not the user's to set.
			}
			if !reflect.DeepEqual(got, want) {
				t.Errorf("it becomes %v; want %v", got, want)
			}
		})
	}
}

func TestRoundDeletesRestoresAndCreates(t *testing.T) {
	kept := exampleObject("ConfigMap", "configmaps", "default", "kept", map[string]any{"data": map[string]any{"a": "b"}})
	lost := exampleObject("ConfigMap", "configmaps", "default", "lost", nil)
	changed := exampleObject("ConfigMap", "configmaps", "default", "kept", map[string]any{"data": map[string]any{"a": "c"}})
	stuck := exampleObject("ConfigMap", "configmaps", "default", "stuck", nil)
	stuck.SetFinalizers([]string{"example.com/never"})
	client := dynamicfake.NewSimpleDynamicClient(scheme.Scheme, changed.Unstructured, stuck.Unstructured)
	c := clearing{first: map[string]object{kept.key(): kept, lost.key(): lost}}

	if err := c.delete(t.Context(), client, []object{stuck}); err != nil {
		t.Fatal(err)
	}
	if err := c.restore(t.Context(), client, []object{changed}); err != nil {
		t.Fatal(err)
	}
	list, err := client.Resource(kept.Resource).Namespace("default").List(t.Context(), metav1.ListOptions{})
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]any{}
	for _, each := range list.Items {
		found[each.GetName()] = each.Object["data"]
	}
	want := map[string]any{"kept": map[string]any{"a": "b"}, "lost": nil}
	if !reflect.DeepEqual(found, want) {
		t.Errorf("the cluster has %v; want %v", found, want)
	}
}
