package apply_test

import (
	"encoding/base64"
	"fmt"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"

	"github.com/kubectl-mesh/kubectl-mesh/pkg/apply"
)

// injector is a configuration of two webhooks that are called at a Service, or at a URL.
func injector(url string) *unstructured.Unstructured {
	target, label := map[string]any{"url": url}, "url"
	if url == "" {
		label, target = "service", map[string]any{"service": map[string]any{"name": "istiod", "namespace": "default", "path": "/inject", "port": int64(443)}}
	}
	var webhooks []any
	for _, name := range []string{"a.example.com", "b.example.com"} {
		webhooks = append(webhooks, map[string]any{
			"name": name, "clientConfig": target, "sideEffects": "None", "admissionReviewVersions": []any{"v1"}, "failurePolicy": "Ignore",
			"objectSelector": map[string]any{"matchLabels": map[string]any{"never": "matched"}},
			"rules":          []any{map[string]any{"apiGroups": []any{""}, "apiVersions": []any{"v1"}, "operations": []any{"CREATE"}, "resources": []any{"pods"}}},
		})
	}
	return &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "admissionregistration.k8s.io/v1", "kind": "MutatingWebhookConfiguration",
		"metadata": map[string]any{"name": "injector", "labels": map[string]any{"called": label}}, "webhooks": webhooks,
	}}
}

// A webhook's Service gives way to a URL, and the other way round, whoever else manages it: the API server would take none
// with both.
func TestWebhooksAreCalledElsewhere(t *testing.T) {
	c := connect(t)
	const url = "https://gw.example:15017/inject"
	configurations := c.Kube().AdmissionregistrationV1().MutatingWebhookConfigurations()
	var seen apply.Result
	applier := func(manager string, force bool, dry apply.DryRun) apply.Applier {
		return apply.Applier{
			Resources: c.DynamicClientFor, FieldManager: manager, ForceConflicts: force, DryRun: dry,
			Done: func(r apply.Result) { seen = r },
		}
	}
	do := func(a apply.Applier, url string) (apply.Outcome, error) {
		return a.Apply(t.Context(), []*unstructured.Unstructured{injector(url)})
	}
	must := func(a apply.Applier, url string) apply.Outcome {
		t.Helper()
		outcome, err := do(a, url)
		if err != nil {
			t.Fatal(err)
		}
		return outcome
	}
	bundle := ""
	is := func(when string, wantURLs, wantServices int) {
		t.Helper()
		live, err := configurations.Get(t.Context(), "injector", metav1.GetOptions{})
		if err != nil {
			t.Fatal(err)
		}
		urls, services := 0, 0
		for _, webhook := range live.Webhooks {
			if webhook.ClientConfig.URL != nil && *webhook.ClientConfig.URL == url {
				urls++
			}
			if webhook.ClientConfig.Service != nil {
				services++
			}
			if string(webhook.ClientConfig.CABundle) != bundle {
				t.Errorf("%s: the caBundle is %q, want %q", when, webhook.ClientConfig.CABundle, bundle)
			}
		}
		if urls != wantURLs || services != wantServices {
			t.Errorf("%s: %d webhooks are called at the URL and %d at the Service, want %d and %d", when, urls, services, wantURLs, wantServices)
		}
	}

	// What nobody else manages goes with the apply itself.
	ours := applier("ours", false, apply.DryRunNone)
	must(ours, "")
	must(ours, url)
	is("nobody else manages it", 2, 0)
	if err := configurations.Delete(t.Context(), "injector", metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}

	must(applier("theirs", false, apply.DryRunNone), "")
	bundle = "istiod's"
	encoded := base64.StdEncoding.EncodeToString([]byte(bundle))
	bundles := fmt.Sprintf(`[{"op":"add","path":"/webhooks/0/clientConfig/caBundle","value":%q},{"op":"add","path":"/webhooks/1/clientConfig/caBundle","value":%q}]`, encoded, encoded)
	if _, err := configurations.Patch(t.Context(), "injector", types.JSONPatchType, []byte(bundles), metav1.PatchOptions{FieldManager: "istiod"}); err != nil {
		t.Fatal(err)
	}
	is("made by another", 0, 2)
	_, err := do(ours, url)
	if err == nil {
		t.Fatal("another manager's Service was taken away without force")
	}
	for _, part := range []string{"MutatingWebhookConfiguration/injector", "2 conflicts", `"theirs": .webhooks[name="a.example.com"].clientConfig.service`, "--force-conflicts"} {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("%q is not in: %v", part, err)
		}
	}
	outcome := must(applier("ours", true, apply.DryRunServer), url)
	webhooks, _, _ := unstructured.NestedSlice(seen.Now.Object, "webhooks")
	config, _, _ := unstructured.NestedMap(webhooks[0].(map[string]any), "clientConfig")
	if outcome.Changed != 1 || len(webhooks) != 2 || config["url"] != url || config["service"] != nil || seen.Now.GetLabels()["called"] != "url" {
		t.Errorf("a dry run: %s, %v", outcome, seen.Now)
	}
	is("after a dry run", 0, 2)
	if outcome := must(applier("ours", true, apply.DryRunNone), url); outcome.Changed != 1 {
		t.Errorf("with force: %s", outcome)
	}
	is("with force", 2, 0)
	if outcome := must(ours, url); outcome.Wrote() {
		t.Errorf("again: %s", outcome)
	}
	// The way back needs no force: what is left of the first way is ours.
	must(ours, "")
	is("back", 0, 2)
}
