package istio

import (
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// Yield leaves to istiod what it has taken over since the object was first applied: the failurePolicy of a validating
// webhook, which the charts set to Ignore and istiod to Fail once it answers (pilot/pkg/controllers/
// validatingwebhookcontroller). Applying the chart's value again would switch the validation off for a moment.
func Yield(wanted, live *unstructured.Unstructured) {
	if wanted.GetKind() != "ValidatingWebhookConfiguration" {
		return
	}
	liveWebhooks, _, _ := unstructured.NestedSlice(live.Object, "webhooks")
	policies := map[any]any{}
	for _, webhook := range liveWebhooks {
		if w, ok := webhook.(map[string]any); ok {
			policies[w["name"]] = w["failurePolicy"]
		}
	}
	webhooks, found, _ := unstructured.NestedSlice(wanted.Object, "webhooks")
	if !found {
		return
	}
	for _, webhook := range webhooks {
		if w, ok := webhook.(map[string]any); ok && policies[w["name"]] != nil && policies[w["name"]] != w["failurePolicy"] {
			delete(w, "failurePolicy")
		}
	}
	wanted.Object["webhooks"] = webhooks
}

// RemoteParts are the objects of the remote profile, by what they are for.
type RemoteParts struct {
	// Reader is the account that istiod reads through, with its rights.
	Reader []*unstructured.Unstructured
	// CRDs are Istio's custom resource definitions.
	CRDs []*unstructured.Unstructured
	// Profile is all else.
	Profile []*unstructured.Unstructured
}

// SplitRemote parts the objects of the remote profile.
func SplitRemote(objects []*unstructured.Unstructured) RemoteParts {
	var parts RemoteParts
	for _, object := range objects {
		switch object.GetKind() {
		case "ServiceAccount", "ClusterRole", "ClusterRoleBinding":
			parts.Reader = append(parts.Reader, object)
		case "CustomResourceDefinition":
			parts.CRDs = append(parts.CRDs, object)
		default:
			parts.Profile = append(parts.Profile, object)
		}
	}
	return parts
}

// Status is istiod's word for a cluster, empty when it does not know the cluster.
func (r RemoteClusters) Status(name string) string {
	for _, c := range r {
		if string(c.ID) == name {
			return c.SyncStatus
		}
	}
	return ""
}
