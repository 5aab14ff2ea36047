package apply

import (
	"encoding/json"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// What a webhook calls is replaced where applying would leave it: where anybody else has set it, or we otherwise than by
// applying. Whoever it is taken from is named, unless that is us.
func TestRetargetingOf(t *testing.T) {
	t.Parallel()
	at := func(config map[string]any) *unstructured.Unstructured {
		return holding(map[string]any{"kind": "MutatingWebhookConfiguration", "webhooks": []any{
			map[string]any{"name": "other"}, map[string]any{"name": "w", "clientConfig": config},
		}})
	}
	service, url := map[string]any{"service": map[string]any{"name": "istiod"}}, map[string]any{"url": "https://gw.example"}
	owned := func(manager, field string, operation metav1.ManagedFieldsOperationType) metav1.ManagedFieldsEntry {
		raw := `{"f:webhooks":{"k:{\"name\":\"w\"}":{"f:clientConfig":{` + field + `}}}}`
		return metav1.ManagedFieldsEntry{Manager: manager, Operation: operation, FieldsV1: &metav1.FieldsV1{Raw: []byte(raw)}}
	}
	const theService, theURL, theBundle = `"f:service":{"f:name":{}}`, `"f:url":{}`, `"f:caBundle":{}`
	const toURL = `[{"op":"test","path":"/webhooks/1/name","value":"w"},{"op":"test","path":"/webhooks/1/clientConfig/service","value":{"name":"istiod"}},` +
		`{"op":"remove","path":"/webhooks/1/clientConfig/service"},{"op":"add","path":"/webhooks/1/clientConfig/url","value":"https://gw.example"}]`
	const toService = `[{"op":"test","path":"/webhooks/1/name","value":"w"},{"op":"test","path":"/webhooks/1/clientConfig/url","value":"https://gw.example"},` +
		`{"op":"remove","path":"/webhooks/1/clientConfig/url"},{"op":"add","path":"/webhooks/1/clientConfig/service","value":{"name":"istiod"}}]`
	for _, test := range []struct {
		name         string
		has, wants   map[string]any
		managers     []metav1.ManagedFieldsEntry
		patch, taken string
	}{
		{"as it is wanted", url, url, []metav1.ManagedFieldsEntry{owned("theirs", theURL, "Apply")}, "null", ""},
		{"another URL", url, map[string]any{"url": "https://other.example"}, []metav1.ManagedFieldsEntry{owned("theirs", theURL, "Apply")}, "null", ""},
		{"what we have applied", service, url, []metav1.ManagedFieldsEntry{owned("ours", theService, "Apply"), owned("istiod", theBundle, "Update")}, "null", ""},
		{"what we have otherwise set", service, url, []metav1.ManagedFieldsEntry{owned("ours", theService, "Update")}, toURL, ""},
		{"another's", service, url, []metav1.ManagedFieldsEntry{owned("theirs", theService, "Apply")}, toURL,
			`Apply failed with 1 conflict: conflict with "theirs": .webhooks[name="w"].clientConfig.service`},
		{"ours and another's", service, url, []metav1.ManagedFieldsEntry{owned("ours", theService, "Apply"), owned("theirs", theService, "Update")}, toURL,
			`Apply failed with 1 conflict: conflict with "theirs": .webhooks[name="w"].clientConfig.service`},
		{"the way back", url, service, []metav1.ManagedFieldsEntry{owned("ours", theURL, "Update"), owned("ours", theURL, "Apply")}, toService, ""},
	} {
		live := at(test.has)
		live.SetManagedFields(test.managers)
		got, err := retargetingOf(at(test.wants), live, "ours")
		if err != nil {
			t.Fatal(err)
		}
		patch, err := json.Marshal(got.operations)
		if err != nil || string(patch) != test.patch {
			t.Errorf("%s: the patch is\n%s (%v), want\n%s", test.name, patch, err, test.patch)
		}
		if taken := len(got.conflicts) > 0; taken != (test.taken != "") || taken && describe(got.conflicts) != test.taken {
			t.Errorf("%s: conflicts are %v", test.name, got.conflicts)
		}
	}
	for name, object := range map[string]*unstructured.Unstructured{"none": nil, "of another kind": holding(map[string]any{"kind": "Service"})} {
		if got, err := retargetingOf(holding(map[string]any{"kind": "Service"}), object, "ours"); err != nil || got.operations != nil {
			t.Errorf("%s: %v, %v", name, got, err)
		}
	}
}
