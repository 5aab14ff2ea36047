package apply

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	admissionv1 "k8s.io/api/admissionregistration/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/strategicpatch"
	"k8s.io/client-go/dynamic"
	"sigs.k8s.io/structured-merge-diff/v6/fieldpath"
)

// The API server calls a webhook at a Service or at a URL, and accepts no webhook with both or with neither. Server-side
// apply of the one leaves the other in place where another field manager has set it as well, so it is replaced first: in
// one request, so that the webhook is called somewhere at any time, and all its other fields stay as they are.

// retargeting is what changes where webhooks are called.
type retargeting struct {
	operations []jsonPatch
	// conflicts are the fields that go although others manage them.
	conflicts []metav1.StatusCause
}

// jsonPatch is an operation of RFC 6902.
type jsonPatch struct {
	Op    string `json:"op"`
	Path  string `json:"path"`
	Value any    `json:"value,omitempty"`
}

// retarget has webhooks called where it is wanted, where applying alone would not do. It returns nil if there is nothing
// to change, else the object with that change, and in a dry run with all that is wanted: what is not kept can't be applied
// to.
func (a Applier) retarget(ctx context.Context, resource dynamic.ResourceInterface, wanted, live *unstructured.Unstructured) (*unstructured.Unstructured, error) {
	change, err := retargetingOf(wanted, live, a.FieldManager)
	if err != nil || len(change.operations) == 0 {
		return nil, err
	}
	if len(change.conflicts) > 0 && !a.ForceConflicts {
		return nil, apierrors.NewApplyConflict(change.conflicts, describe(change.conflicts))
	}
	body, err := json.Marshal(change.operations)
	if err != nil {
		return nil, err
	}
	options := metav1.PatchOptions{FieldManager: a.FieldManager}
	if a.DryRun == DryRunServer {
		options.DryRun = []string{metav1.DryRunAll}
	}
	now, err := resource.Patch(ctx, wanted.GetName(), types.JSONPatchType, body, options)
	if err != nil {
		return nil, fmt.Errorf("replacing the Service or URL of its webhooks: %w", err)
	}
	if a.DryRun == DryRunServer {
		return overlaid(now, wanted)
	}
	return now, nil
}

// retargetingOf compares where webhooks are called with where they are to be.
func retargetingOf(wanted, live *unstructured.Unstructured, manager string) (retargeting, error) {
	var change retargeting
	if live == nil || !strings.HasSuffix(wanted.GetKind(), "WebhookConfiguration") {
		return change, nil
	}
	targets := map[any]map[string]any{}
	for _, webhook := range webhooksOf(wanted) {
		targets[webhook["name"]], _ = webhook["clientConfig"].(map[string]any)
	}
	for i, webhook := range webhooksOf(live) {
		has, _ := webhook["clientConfig"].(map[string]any)
		target := targets[webhook["name"]]
		for removed, added := range map[string]string{"service": "url", "url": "service"} {
			if has[removed] == nil || target[removed] != nil || target[added] == nil {
				continue
			}
			others, err := managersOf(live, manager, fieldpath.MakePathOrDie("webhooks", fieldpath.KeyByFields("name", webhook["name"]), "clientConfig", removed))
			if err != nil {
				return change, err
			}
			if len(others) == 0 {
				continue // it is removed by applying without it
			}
			path := fmt.Sprintf("/webhooks/%d/", i)
			change.operations = append(change.operations,
				jsonPatch{"test", path + "name", webhook["name"]}, jsonPatch{"test", path + "clientConfig/" + removed, has[removed]},
				jsonPatch{Op: "remove", Path: path + "clientConfig/" + removed}, jsonPatch{"add", path + "clientConfig/" + added, target[added]})
			for _, other := range others {
				if other != manager {
					change.conflicts = append(change.conflicts, metav1.StatusCause{
						Type: metav1.CauseTypeFieldManagerConflict, Message: fmt.Sprintf("conflict with %q", other),
						Field: fmt.Sprintf(".webhooks[name=%q].clientConfig.%s", webhook["name"], removed),
					})
				}
			}
		}
	}
	return change, nil
}

func webhooksOf(object *unstructured.Unstructured) []map[string]any {
	list, _, _ := unstructured.NestedSlice(object.Object, "webhooks")
	webhooks := make([]map[string]any, len(list))
	for i := range list {
		webhooks[i], _ = list[i].(map[string]any)
	}
	return webhooks
}

// managersOf are the field managers of a field, apart from what manager has applied: that is removed by applying without it.
func managersOf(object *unstructured.Unstructured, manager string, field fieldpath.Path) ([]string, error) {
	var managers []string
	for _, entry := range object.GetManagedFields() {
		if entry.FieldsV1 == nil || entry.Manager == manager && entry.Operation == metav1.ManagedFieldsOperationApply {
			continue
		}
		var set fieldpath.Set
		if err := set.FromJSON(bytes.NewReader(entry.FieldsV1.Raw)); err != nil {
			return nil, fmt.Errorf("the fields that %s manages: %w", entry.Manager, err)
		}
		manages := false
		set.Iterate(func(path fieldpath.Path) {
			manages = manages || len(path) >= len(field) && path[:len(field)].Equals(field)
		})
		if manages {
			managers = append(managers, entry.Manager)
		}
	}
	slices.Sort(managers)
	return slices.Compact(managers), nil
}

// describe lists conflicts in the API server's words.
func describe(conflicts []metav1.StatusCause) string {
	var lines []string
	for _, c := range conflicts {
		lines = append(lines, c.Message+": "+c.Field)
	}
	noun := "conflicts"
	if len(conflicts) == 1 {
		noun = "conflict"
	}
	return fmt.Sprintf("Apply failed with %d %s: %s", len(conflicts), noun, strings.Join(lines, ", "))
}

// overlaid is a webhook configuration with all that is wanted of it.
func overlaid(object, wanted *unstructured.Unstructured) (*unstructured.Unstructured, error) {
	var schema any = admissionv1.MutatingWebhookConfiguration{}
	if wanted.GetKind() == "ValidatingWebhookConfiguration" {
		schema = admissionv1.ValidatingWebhookConfiguration{}
	}
	merged, err := strategicpatch.StrategicMergeMapPatch(object.DeepCopy().Object, wanted.DeepCopy().Object, schema)
	return &unstructured.Unstructured{Object: merged}, err
}
