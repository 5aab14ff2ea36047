package execute

import (
	"slices"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	apimeta "k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/kubernetes/fake"
	kubetesting "k8s.io/client-go/testing"

	"github.com/kubectl-mesh/kubectl-mesh/pkg/apply"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/cluster"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/istio/wellknown"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/mesh"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/plan"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/snapshot"
)

// attached is what a remote has in Istio's namespace, including objects that are not ours.
func attached() []runtime.Object {
	record := func(name string) *corev1.ConfigMap {
		o := &corev1.ConfigMap{ObjectMeta: meta(name)}
		o.Labels = map[string]string{apply.SetIDLabel: "id-of-" + name}
		return o
	}
	return []runtime.Object{
		&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "istio-system", Annotations: map[string]string{
			wellknown.ControlPlaneClustersAnnotation: "east", "kept": "yes",
		}}},
		&discoveryv1.EndpointSlice{ObjectMeta: meta("istiod")}, &discoveryv1.EndpointSlice{ObjectMeta: meta("other")},
		record("kubectl-mesh-reader"), record("kubectl-mesh-remote"), record("kubectl-mesh-remote-canary"), record("kubectl-mesh-crds"),
		&corev1.ConfigMap{ObjectMeta: meta("kubectl-mesh-remote-notes")},
	}
}

// What made a cluster a remote is deleted when it becomes a primary, and nothing else.
func TestDropRemoteProfile(t *testing.T) {
	t.Parallel()
	none := func(*fake.Clientset) {}
	forbid := func(verb, resource string) func(*fake.Clientset) {
		return func(f *fake.Clientset) {
			f.PrependReactor(verb, resource, func(kubetesting.Action) (bool, runtime.Object, error) {
				return true, nil, apierrors.NewForbidden(schema.GroupResource{Resource: resource}, "x", nil)
			})
		}
	}
	whole := []string{"istiod", "kubectl-mesh-crds", "kubectl-mesh-reader", "kubectl-mesh-remote", "kubectl-mesh-remote-canary", "kubectl-mesh-remote-notes", "other"}
	for _, test := range []struct {
		name   string
		dry    apply.DryRun
		slices []string
		change func(*fake.Clientset)
		says   string
		// led is true where the namespace is still annotated with its primary.
		led  bool
		left []string
	}{
		{"all of it", apply.DryRunNone, []string{"istiod"}, none, "4 deleted", false, []string{"kubectl-mesh-crds", "kubectl-mesh-remote-notes", "other"}},
		{"a slice that is gone", apply.DryRunNone, []string{"gone"}, none, "3 deleted", false, []string{"istiod", "kubectl-mesh-crds", "kubectl-mesh-remote-notes", "other"}},
		{"a dry run", apply.DryRunServer, []string{"istiod"}, none, "would be deleted", true, whole},
		{"no right to the annotation", apply.DryRunNone, []string{"istiod"}, forbid("patch", "namespaces"), "cluster west: namespace istio-system: ", true, whole},
		{"no right to slices", apply.DryRunNone, []string{"istiod"}, forbid("delete", "endpointslices"), "cluster west: EndpointSlice istiod in istio-system: ", false, whole},
		{"no right to look for records", apply.DryRunNone, nil, forbid("list", "configmaps"), "cluster west: the records of attach-remote in istio-system: ", false, whole},
		{"no right to records", apply.DryRunNone, nil, forbid("delete", "configmaps"), "cluster west: ConfigMap kubectl-mesh-reader in istio-system: ", false, whole},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			client := fake.NewClientset(attached()...)
			test.change(client)
			west := &cluster.Cluster{Name: "west", CLIClient: kubeOnly{clientset: client}}
			e := &Executor{Mesh: mesh.Mesh{Namespace: "istio-system"}, Clusters: cluster.Set{"west": west}, DryRun: test.dry}
			result, err := e.Do(t.Context(), plan.Step{Cluster: "west", Action: plan.DropRemoteProfile{Slices: test.slices}}, func(string) {})
			if err != nil {
				result.Detail = err.Error()
			}
			if !strings.HasPrefix(result.Detail, test.says) || result.Wrote != (err == nil && !e.dry()) {
				t.Errorf("says %q (wrote: %t), want %q", result.Detail, result.Wrote, test.says)
			}
			covered(t, client.Actions())
			annotations, left := leftIn(t, client)
			if _, kept := annotations["kept"]; !kept {
				t.Errorf("the annotations left are %v", annotations)
			}
			if _, led := annotations[wellknown.ControlPlaneClustersAnnotation]; led != test.led {
				t.Errorf("the annotations left are %v", annotations)
			}
			if !slices.Equal(left, test.left) {
				t.Errorf("left are %q, want %q", left, test.left)
			}
		})
	}
}

// covered fails for a request that plan.Permissions does not include.
func covered(t *testing.T, requests []kubetesting.Action) {
	t.Helper()
	installing, _ := plan.Permissions(plan.InstallPrimary, "istio-system")
	converting, _ := plan.Permissions(plan.ConvertRemote, "istio-system")
	asked := slices.Concat(installing, converting)
	for _, r := range requests {
		needed := snapshot.Permission{Verb: r.GetVerb(), Group: r.GetResource().Group, Resource: r.GetResource().Resource, Namespace: r.GetNamespace()}
		if needed.Resource == "namespaces" {
			needed.Name = "istio-system"
		}
		if !slices.Contains(asked, needed) {
			t.Errorf("plan.Permissions lacks %+v", needed)
		}
	}
}

// leftIn returns the annotations of Istio's namespace and the names of the objects in it, past what the client forbids.
func leftIn(t *testing.T, client *fake.Clientset) (annotations map[string]string, names []string) {
	t.Helper()
	const namespace = "istio-system"
	found, err := client.Tracker().Get(corev1.SchemeGroupVersion.WithResource("namespaces"), "", namespace)
	if err != nil {
		t.Fatal(err)
	}
	for resource, kind := range map[schema.GroupVersionResource]schema.GroupVersionKind{
		corev1.SchemeGroupVersion.WithResource("configmaps"):          corev1.SchemeGroupVersion.WithKind("ConfigMap"),
		discoveryv1.SchemeGroupVersion.WithResource("endpointslices"): discoveryv1.SchemeGroupVersion.WithKind("EndpointSlice"),
	} {
		list, err := client.Tracker().List(resource, kind, namespace)
		if err != nil {
			t.Fatal(err)
		}
		err = apimeta.EachListItem(list, func(o runtime.Object) error {
			object, err := apimeta.Accessor(o)
			if err == nil {
				names = append(names, object.GetName())
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	slices.Sort(names)
	return found.(*corev1.Namespace).Annotations, names //nolint:forcetypeassert // it is one
}
