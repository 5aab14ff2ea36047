package istio

import (
	"fmt"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kubectl-mesh/kubectl-mesh/pkg/istio/wellknown"
)

// InjectionProbe makes a pod that exists only to ask, in a server-side dry run, whether a sidecar would be injected.
func InjectionProbe(namespace, revision string) *corev1.Pod {
	labels := map[string]string{injectLabel: "true"}
	if revision != "" {
		labels[wellknown.RevisionLabel] = revision
	}
	return &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{GenerateName: "kubectl-mesh-dry-run-", Namespace: namespace, Labels: labels},
		Spec:       corev1.PodSpec{Containers: []corev1.Container{{Name: "app", Image: "none.invalid/dry-run"}}},
	}
}

// InjectionLabel is the label with which a namespace asks for sidecars of a revision; empty is the default one.
func InjectionLabel(revision string) (name, value string) {
	if revision == "" {
		return "istio-injection", "enabled"
	}
	return wellknown.RevisionLabel, revision
}

// NotInjected are the labels of a pod that gets no sidecar, whatever its namespace asks for.
func NotInjected() map[string]string { return map[string]string{injectLabel: "false"} }

// Injected says whether a pod, as the API server returned it, got a sidecar that belongs to the cluster. The error
// says what was seen instead.
func Injected(pod *corev1.Pod, cluster string) error {
	for _, containers := range [][]corev1.Container{pod.Spec.Containers, pod.Spec.InitContainers} {
		for _, c := range containers {
			if c.Name != proxyContainer {
				continue
			}
			for _, variable := range c.Env {
				if variable.Name == proxyClusterIDVariable && variable.Value != cluster {
					return fmt.Errorf("the sidecar is told that its cluster is %q, not %q", variable.Value, cluster)
				}
			}
			return nil
		}
	}
	return fmt.Errorf("the API server admits a labelled pod without a sidecar: the injector's webhook was not called")
}

// AsksForInjection is true for a namespace whose labels ask for sidecars of any revision.
func AsksForInjection(labels map[string]string) bool {
	return labels["istio-injection"] == "enabled" || labels[wellknown.RevisionLabel] != "" && labels["istio-injection"] != "disabled"
}

// SetupProbe makes a pod with the capabilities that a sidecar's init container asks for (istio-init), to learn in a
// server-side dry run whether they are granted.
func SetupProbe(namespace string) *corev1.Pod {
	pod := InjectionProbe(namespace, "")
	pod.Labels = NotInjected()
	pod.Spec.Containers[0].SecurityContext = &corev1.SecurityContext{
		Capabilities: &corev1.Capabilities{Add: []corev1.Capability{"NET_ADMIN", "NET_RAW"}},
	}
	return pod
}
