package probe

import (
	"fmt"
	"maps"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/kubectl-mesh/kubectl-mesh/pkg/istio"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/istio/wellknown"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/probe/echo"
)

const (
	// namespacePrefix is followed by letters of each run's own, so that two runs don't meet.
	namespacePrefix = "kubectl-mesh-probe-"
	// everywhere is the Service that has endpoints in all clusters.
	everywhere   = "everywhere"
	appLabel     = "app"
	app          = "mesh-probe"
	clusterLabel = "kubectl-mesh.github.io/cluster"
	managedBy    = "app.kubernetes.io/managed-by"
	podName      = app
	// containerName is that of the program in the pods.
	containerName = "probe"
	// diallerName is the pod without a sidecar.
	diallerName = app + "-dialler"
)

// markedLabels find what a probe has left, wherever it is.
func markedLabels() map[string]string {
	return map[string]string{managedBy: wellknown.FieldManager, "app.kubernetes.io/name": app}
}

// namespace is that of the probe, at which istiod is to look, with the process that removes it, unless it is to stay.
func (r *runner) namespace() (*corev1.Namespace, error) {
	ns := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: r.traffic.Namespace, Labels: markedLabels()}}
	injection, value := istio.InjectionLabel(r.Revision)
	ns.Labels[injection] = value
	ns.Labels[corev1.LabelMetadataName] = ns.Name
	more, help := r.discovery().MissingLabels(ns.Labels)
	if !help {
		return nil, fmt.Errorf("none of the mesh's discoverySelectors selects a new namespace such as %s, whatever label it is given: istiod would write no ConfigMap %s there, and know none of its Services",
			ns.Name, wellknown.RootCertConfigMap)
	}
	maps.Copy(ns.Labels, more)
	if here, err := thisProcess(); err == nil && !r.Keep {
		ns.Annotations = map[string]string{ownerAnnotation: here.annotation()}
	}
	return ns, nil
}

// policy lets the probes be called where the mesh denies by default: an ALLOW policy of their own namespace. istiod
// reads it in the primary, for all clusters.
func policy(namespace string) *unstructured.Unstructured {
	return istio.AllowAll(namespace, app)
}

// accountName is the account of a cluster's probe: each has its own, so that the identity which a server sees tells
// from which cluster the caller is.
func accountName(cluster string) string { return "from-" + cluster }

func account(cluster string) *corev1.ServiceAccount {
	return &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Name: accountName(cluster)}}
}

// serviceName is the Service that leads to one cluster's probe.
func serviceName(index int, cluster string) string {
	if name := "in-" + cluster; len(name) <= 63 {
		return name
	}
	return fmt.Sprintf("in-cluster-%d", index)
}

func service(name string, selector map[string]string) *corev1.Service {
	port := func(p echo.Protocol) corev1.ServicePort {
		return corev1.ServicePort{Name: string(p), Port: int32(p.Port()), TargetPort: intstr.FromInt(p.Port())} //nolint:gosec // one of three constants
	}
	return &corev1.Service{
		ObjectMeta: metav1.ObjectMeta{Name: name},
		Spec: corev1.ServiceSpec{
			Selector: selector,
			Ports:    []corev1.ServicePort{port(echo.HTTP), port(echo.GRPC), port(echo.TCP)},
		},
	}
}

// probeLabels are those by which Services and policies find a cluster's probe.
func probeLabels(cluster string) map[string]string {
	return map[string]string{appLabel: app, clusterLabel: cluster}
}

// pod is a cluster's probe, which gets a sidecar.
func (r *runner) pod(cluster string) *corev1.Pod {
	labels := probeLabels(cluster)
	if r.Revision != "" {
		labels[wellknown.RevisionLabel] = r.Revision
	}
	return r.program(podName, cluster, labels)
}

// dialler is the pod that makes handshakes. It has no sidecar, so that it speaks to those whom it calls and not to a
// proxy, and so that it starts where a sidecar could not, for lack of what is looked for: a way to istiod.
func (r *runner) dialler(cluster string) *corev1.Pod {
	return r.program(diallerName, cluster, istio.NotInjected())
}

// program is a pod of cmd/mesh-probe. It asks for what the "restricted" pod security standard wants of it.
func (r *runner) program(name, cluster string, labels map[string]string) *corev1.Pod {
	pod := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Name: name, Labels: labels},
		Spec: corev1.PodSpec{
			ServiceAccountName:            accountName(cluster),
			AutomountServiceAccountToken:  new(false),
			TerminationGracePeriodSeconds: new(int64(1)),
			Containers: []corev1.Container{{
				Name: containerName, Image: r.Image,
				Env: []corev1.EnvVar{
					{Name: "CLUSTER", Value: cluster},
					{Name: "POD", ValueFrom: &corev1.EnvVarSource{FieldRef: &corev1.ObjectFieldSelector{FieldPath: "metadata.name"}}},
				},
				Resources: corev1.ResourceRequirements{
					Requests: corev1.ResourceList{corev1.ResourceCPU: resource.MustParse("10m"), corev1.ResourceMemory: resource.MustParse("16Mi")},
					Limits:   corev1.ResourceList{corev1.ResourceMemory: resource.MustParse("64Mi")},
				},
				SecurityContext: &corev1.SecurityContext{
					AllowPrivilegeEscalation: new(false), ReadOnlyRootFilesystem: new(true), RunAsNonRoot: new(true),
					RunAsUser: new(int64(65532)), Capabilities: &corev1.Capabilities{Drop: []corev1.Capability{"ALL"}},
					SeccompProfile: &corev1.SeccompProfile{Type: corev1.SeccompProfileTypeRuntimeDefault},
				},
			}},
		},
	}
	if !r.Keep {
		pod.Spec.ActiveDeadlineSeconds = new(int64(abandoned.Seconds()))
	}
	return pod
}
