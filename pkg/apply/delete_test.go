package apply

import (
	"slices"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic/fake"
)

// withUID is an object of a kind that the tests' mapper knows.
func withUID(apiVersion, kind, namespace, name string) *unstructured.Unstructured {
	o := &unstructured.Unstructured{Object: map[string]any{"apiVersion": apiVersion, "kind": kind, "metadata": map[string]any{"name": name, "uid": "uid-" + name}}}
	if namespace != "" {
		o.SetNamespace(namespace)
	}
	return o
}

// deleter is one of a cluster that has some objects.
func deleter(objects ...*unstructured.Unstructured) (Deleter, *fake.FakeDynamicClient) {
	mapper := meta.NewDefaultRESTMapper([]schema.GroupVersion{corev1.SchemeGroupVersion, rbacv1.SchemeGroupVersion})
	mapper.Add(corev1.SchemeGroupVersion.WithKind("ConfigMap"), meta.RESTScopeNamespace)
	mapper.Add(corev1.SchemeGroupVersion.WithKind("Secret"), meta.RESTScopeNamespace)
	mapper.Add(rbacv1.SchemeGroupVersion.WithKind("ClusterRole"), meta.RESTScopeRoot)
	mapper.Add(rbacv1.SchemeGroupVersion.WithKind("ClusterRoleBinding"), meta.RESTScopeRoot)
	var there []runtime.Object
	for _, o := range objects {
		there = append(there, o)
	}
	client := fake.NewSimpleDynamicClientWithCustomListKinds(runtime.NewScheme(), map[schema.GroupVersionResource]string{
		{Version: "v1", Resource: "configmaps"}:                                              "ConfigMapList",
		{Version: "v1", Resource: "secrets"}:                                                 "SecretList",
		{Group: "rbac.authorization.k8s.io", Version: "v1", Resource: "clusterroles"}:        "ClusterRoleList",
		{Group: "rbac.authorization.k8s.io", Version: "v1", Resource: "clusterrolebindings"}: "ClusterRoleBindingList",
	}, there...)
	return Deleter{Dynamic: client, Mapper: mapper}, client
}

// deletions are the names of what was deleted, in order.
func deletions(client *fake.FakeDynamicClient) []string {
	var names []string
	for _, action := range client.Actions() {
		if d, is := action.(interface{ GetName() string }); is && action.GetVerb() == "delete" {
			names = append(names, d.GetName())
		}
	}
	return names
}

func TestDelete(t *testing.T) {
	t.Parallel()
	set := Set{Name: "ours", Namespace: "istio-system", Tooling: "kubectl-mesh/v1"}
	role, binding := withUID("rbac.authorization.k8s.io/v1", "ClusterRole", "", "role"), withUID("rbac.authorization.k8s.io/v1", "ClusterRoleBinding", "", "binding")
	secret, elsewhere := withUID("v1", "Secret", "istio-system", "token"), withUID("v1", "Secret", "other", "elsewhere")
	foreign := withUID("v1", "Secret", "istio-system", "somebody-elses")
	members, record := set.Members([]*unstructured.Unstructured{role, binding, secret, elsewhere})
	record.SetUID("uid-record")
	remover, client := deleter(append(members, record, foreign)...)

	deleted, err := remover.Delete(t.Context(), set)
	if err != nil || deleted != 5 {
		t.Fatalf("%d deleted, %v", deleted, err)
	}
	got := deletions(client)
	if slices.Contains(got, "somebody-elses") {
		t.Error("an object without the set's label was deleted")
	}
	last := got[len(got)-1]
	if slices.Index(got, "binding") > slices.Index(got, "role") || last != "ours" {
		t.Errorf("deleted were %q: the role goes after its binding, the record last", got)
	}
	if deleted, err := remover.Delete(t.Context(), set); err != nil || deleted != 0 {
		t.Errorf("the second time: %d deleted, %v", deleted, err)
	}
}

func TestDeleteRefuses(t *testing.T) {
	t.Parallel()
	set := Set{Name: "ours", Namespace: "istio-system", Tooling: "kubectl-mesh/v1"}
	theirs := Set{Name: "ours", Namespace: "istio-system", Tooling: "kubectl/v1"}
	_, record := theirs.Members(nil)
	for name, there := range map[string]*unstructured.Unstructured{
		"another tool's":   record,
		"no record at all": withUID("v1", "ConfigMap", "istio-system", "ours"),
	} {
		remover, client := deleter(there)
		if _, err := remover.Delete(t.Context(), set); err == nil || !strings.Contains(err.Error(), "ConfigMap/ours in istio-system") {
			t.Errorf("%s: %v", name, err)
		}
		if got := deletions(client); len(got) > 0 {
			t.Errorf("%s: deleted were %q", name, got)
		}
	}
}

// A kind that is no longer served has no objects.
func TestDeleteWithoutKind(t *testing.T) {
	t.Parallel()
	set := Set{Name: "ours", Namespace: "istio-system", Tooling: "kubectl-mesh/v1"}
	_, record := set.Members([]*unstructured.Unstructured{withUID("networking.istio.io/v1", "Gateway", "istio-system", "gone")})
	remover, _ := deleter(record)
	if deleted, err := remover.Delete(t.Context(), set); err != nil || deleted != 1 {
		t.Errorf("%d deleted, %v", deleted, err)
	}
}
