package apply_test

import (
	"os"
	"strings"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/cli-runtime/pkg/genericclioptions"
	"k8s.io/client-go/discovery/cached/memory"
	"k8s.io/client-go/restmapper"

	"github.com/kubectl-mesh/kubectl-mesh/pkg/apply"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/cluster"
	"github.com/kubectl-mesh/kubectl-mesh/test/labtest"
)

func TestMain(m *testing.M) { os.Exit(labtest.Main(m)) }

// connect gives a test an API server of its own.
func connect(t *testing.T) *cluster.Cluster {
	t.Helper()
	lab := labtest.Use(t, labtest.Options{Clusters: 1})
	flags := genericclioptions.NewConfigFlags(false)
	flags.KubeConfig = &lab.Kubeconfig
	c, err := cluster.Connect(flags, "cluster1", "cluster1", true)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func configMap(name, key, value string) *unstructured.Unstructured {
	return &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "v1", "kind": "ConfigMap",
		"metadata": map[string]any{"name": name, "namespace": "apply-test"},
		"data":     map[string]any{key: value},
	}}
}

func TestApplyOnServer(t *testing.T) {
	c := connect(t)
	ours := apply.Applier{Resources: c.DynamicClientFor, FieldManager: "ours"}
	namespace := &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "v1", "kind": "Namespace", "metadata": map[string]any{"name": "apply-test"},
	}}
	resourceVersion := func() string {
		t.Helper()
		cm, err := c.Kube().CoreV1().ConfigMaps("apply-test").Get(t.Context(), "one", metav1.GetOptions{})
		if err != nil {
			t.Fatal(err)
		}
		return cm.ResourceVersion
	}

	// The namespace comes last in the list and is made first all the same.
	objects := []*unstructured.Unstructured{configMap("one", "colour", "red"), namespace}
	outcome, err := ours.Apply(t.Context(), objects)
	if err != nil || outcome.Created != 2 {
		t.Fatalf("at first: %s, %v", outcome, err)
	}
	before := resourceVersion()
	if outcome, err = ours.Apply(t.Context(), objects); err != nil || outcome.Wrote() || outcome.Unchanged != 2 {
		t.Errorf("again: %s, %v", outcome, err)
	}
	if after := resourceVersion(); after != before {
		t.Errorf("applying the same has written: resourceVersion %s became %s", before, after)
	}
	if outcome, err = ours.Apply(t.Context(), []*unstructured.Unstructured{configMap("one", "colour", "blue")}); err != nil || outcome.Changed != 1 {
		t.Errorf("with another value: %s, %v", outcome, err)
	}

	misspelt := configMap("three", "colour", "red")
	misspelt.Object["dta"] = map[string]any{}
	if _, err = ours.Apply(t.Context(), []*unstructured.Unstructured{misspelt}); err == nil || !strings.Contains(err.Error(), "dta") {
		t.Errorf("a field that there is not: %v", err)
	}

	theirs := apply.Applier{Resources: c.DynamicClientFor, FieldManager: "theirs"}
	green := []*unstructured.Unstructured{configMap("one", "colour", "green"), configMap("two", "colour", "green")}
	outcome, err = theirs.Apply(t.Context(), green)
	if err == nil {
		t.Fatal("a field of another manager was taken over without force")
	}
	for _, part := range []string{"ConfigMap/one in apply-test", `"ours"`, ".data.colour", "--force-conflicts"} {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("%q is not in: %v", part, err)
		}
	}
	if outcome.Created != 1 {
		t.Errorf("the object without a conflict was not written: %s", outcome)
	}
	theirs.ForceConflicts = true
	if outcome, err = theirs.Apply(t.Context(), green); err != nil || outcome.Changed != 1 || outcome.Unchanged != 1 {
		t.Errorf("with force: %s, %v", outcome, err)
	}
}

func TestApplyUnknownKindOnServer(t *testing.T) {
	c := connect(t)
	unknown := &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "example.com/v1", "kind": "Widget", "metadata": map[string]any{"name": "w", "namespace": "default"},
	}}
	_, err := apply.Applier{Resources: c.DynamicClientFor, FieldManager: "ours"}.Apply(t.Context(), []*unstructured.Unstructured{unknown})
	if err == nil || !strings.Contains(err.Error(), "Widget/w in default") {
		t.Errorf("a kind that the server does not know: %v", err)
	}
}

// A set goes as it came, as a whole, and nothing else with it.
func TestDeleteOnServer(t *testing.T) {
	c := connect(t)
	object := func(apiVersion, kind, namespace, name string) *unstructured.Unstructured {
		o := &unstructured.Unstructured{Object: map[string]any{"apiVersion": apiVersion, "kind": kind, "metadata": map[string]any{"name": name}}}
		o.SetNamespace(namespace)
		return o
	}
	set := apply.Set{Name: "apply-test", Namespace: "default", Tooling: "ours/v1"}
	members, record := set.Members([]*unstructured.Unstructured{
		object("rbac.authorization.k8s.io/v1", "ClusterRole", "", "apply-test"), object("v1", "ServiceAccount", "default", "apply-test"),
		object("v1", "Secret", "kube-public", "apply-test"),
	})
	ours := apply.Applier{Resources: c.DynamicClientFor, FieldManager: "ours"}
	neighbour := object("v1", "ServiceAccount", "default", "neighbour")
	if _, err := ours.Apply(t.Context(), append(members, record, neighbour)); err != nil {
		t.Fatal(err)
	}
	deleter := apply.Deleter{Dynamic: c.Dynamic(), Mapper: restmapper.NewDeferredDiscoveryRESTMapper(memory.NewMemCacheClient(c.Kube().Discovery()))}
	for _, want := range []int{4, 0} {
		if deleted, err := deleter.Delete(t.Context(), set); err != nil || deleted != want {
			t.Errorf("%d objects deleted, want %d: %v", deleted, want, err)
		}
	}
	for _, gone := range append(members, record) {
		resource, err := c.DynamicClientFor(gone.GroupVersionKind(), gone, "")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := resource.Get(t.Context(), gone.GetName(), metav1.GetOptions{}); !apierrors.IsNotFound(err) {
			t.Errorf("%s is still there: %v", apply.Name(gone), err)
		}
	}
	if _, err := c.Kube().CoreV1().ServiceAccounts("default").Get(t.Context(), "neighbour", metav1.GetOptions{}); err != nil {
		t.Errorf("the neighbour: %v", err)
	}
}
