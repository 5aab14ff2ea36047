package execute

import (
	"errors"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/kubectl-mesh/kubectl-mesh/pkg/istio/wellknown"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/mesh"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/snapshot"
)

const never = "istiod never writes ConfigMap istio-ca-root-cert into namespace istio-system, which none of the mesh's discoverySelectors selects"

func systemNamespace(labels map[string]string) *corev1.Namespace {
	return &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "istio-system", Labels: labels}}
}

func selector(key, value string) snapshot.DiscoverySelectors {
	return snapshot.DiscoverySelectors{{MatchLabels: map[string]string{key: value}}}
}

func TestHasRootCert(t *testing.T) {
	t.Parallel()
	root := &corev1.ConfigMap{ObjectMeta: meta(wellknown.RootCertConfigMap)}
	for name, test := range map[string]struct {
		objects   []runtime.Object
		discovery snapshot.DiscoverySelectors
		done      bool
		permanent bool
		says      string
	}{
		"none":                    {says: "not written by istiod yet"},
		"there":                   {objects: []runtime.Object{root}, done: true, says: "there"},
		"selected":                {objects: []runtime.Object{systemNamespace(map[string]string{"mesh": "on"})}, discovery: selector("mesh", "on"), says: "not written by istiod yet"},
		"not selected, yet there": {objects: []runtime.Object{root, systemNamespace(nil)}, discovery: selector("mesh", "on"), done: true, says: "there"},
		"not selected": {objects: []runtime.Object{systemNamespace(nil)}, discovery: selector("mesh", "on"), permanent: true,
			says: never + "\n  → kubectl --context west-context label --overwrite namespace istio-system mesh=on"},
		"not selected by its name": {objects: []runtime.Object{systemNamespace(nil)}, discovery: selector(corev1.LabelMetadataName, "other"), permanent: true,
			says: never + ", whatever label it is given: change these selectors (meshConfig.discoverySelectors, in the primary)"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := &Executor{Mesh: mesh.Mesh{Namespace: "istio-system", Clusters: []mesh.Cluster{
				{Name: "east", Context: "east-context", Role: mesh.Primary}, {Name: "west", Context: "west-context", Role: mesh.Remote},
			}}}
			done, seen, err := e.hasRootCert(faked(test.objects...), test.discovery)(t.Context())
			if errors.As(err, &permanentError{}) != test.permanent || err != nil && !test.permanent {
				t.Fatalf("got %v", err)
			}
			if err != nil {
				seen = err.Error()
			}
			if done != test.done || seen != test.says {
				t.Errorf("done %v, it says %q\nwant %v, %q", done, seen, test.done, test.says)
			}
		})
	}
}

// The gateway's pods mount the root certificate: where none comes they stay in ContainerCreating, about which the kubelet
// says nothing in their status.
func TestRolloutWithoutARootCertificate(t *testing.T) {
	t.Parallel()
	gateway := &appsv1.Deployment{ObjectMeta: meta(wellknown.EastWestGateway), Spec: appsv1.DeploymentSpec{Replicas: new(int32(1)), Selector: &metav1.LabelSelector{MatchLabels: map[string]string{"istio": "eastwestgateway"}}}}
	pod := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: "gateway-1", Namespace: "istio-system", Labels: map[string]string{"istio": "eastwestgateway"}}}
	pod.Status.ContainerStatuses = []corev1.ContainerStatus{{Name: "istio-proxy", State: corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: "ContainerCreating"}}}}
	for name, test := range map[string]struct {
		labels map[string]string
		says   string
	}{
		"selected": {map[string]string{"mesh": "on"}, ""},
		"not selected": {nil, "the pods of Deployment istio-eastwestgateway in istio-system can't become ready: " + never +
			"\n  → kubectl --context east-context -n istio-system label --overwrite namespace istio-system mesh=on"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := &Executor{Mesh: mesh.Mesh{Namespace: "istio-system", Clusters: []mesh.Cluster{{Name: "east", Context: "east-context", Role: mesh.Primary}}}}
			_, _, err := e.rolledOut(faked(gateway.DeepCopy(), pod.DeepCopy(), systemNamespace(test.labels)), wellknown.EastWestGateway, selector("mesh", "on"))(t.Context())
			says := ""
			if err != nil {
				says = err.Error()
			}
			if says != test.says || errors.As(err, &permanentError{}) != (test.says != "") {
				t.Errorf("it says %q\nwant %q", says, test.says)
			}
		})
	}
}
