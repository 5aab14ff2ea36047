package apply

import (
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"maps"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// Labels and annotations of an ApplySet (KEP-3659), by which kubectl and others find what was applied together.
const (
	// SetIDLabel is on the object that stands for a set.
	SetIDLabel          = "applyset.kubernetes.io/id"
	partOfLabel         = "applyset.kubernetes.io/part-of"
	toolingAnnotation   = "applyset.kubernetes.io/tooling"
	kindsAnnotation     = "applyset.kubernetes.io/contains-group-kinds"
	namespaceAnnotation = "applyset.kubernetes.io/additional-namespaces"
)

// Set records in the cluster which objects belong together, so that a later command can find and remove exactly them.
type Set struct {
	// Name and Namespace are those of the ConfigMap that stands for the set.
	Name, Namespace string
	// Tooling is who manages it, as NAME/VERSION.
	Tooling string
	// Data is kept in the ConfigMap: with what the objects were made.
	Data map[string]string
}

// ID identifies the set, as the KEP computes it: from the name, namespace, kind and group of the object that stands
// for it.
func (s Set) ID() string {
	sum := sha256.Sum256([]byte(strings.Join([]string{s.Name, s.Namespace, "ConfigMap", ""}, ".")))
	return fmt.Sprintf("applyset-%s-v1", base64.RawURLEncoding.EncodeToString(sum[:]))
}

// Members returns the objects with the set's label, and the ConfigMap that stands for the set: the parent.
func (s Set) Members(objects []*unstructured.Unstructured) (members []*unstructured.Unstructured, parent *unstructured.Unstructured) {
	kinds, namespaces := map[string]bool{}, map[string]bool{}
	for _, object := range objects {
		member := object.DeepCopy()
		labels := member.GetLabels()
		if labels == nil {
			labels = map[string]string{}
		}
		labels[partOfLabel] = s.ID()
		member.SetLabels(labels)
		members = append(members, member)
		kinds[member.GroupVersionKind().GroupKind().String()] = true
		if ns := member.GetNamespace(); ns != "" && ns != s.Namespace {
			namespaces[ns] = true
		}
	}
	annotations := map[string]any{
		toolingAnnotation: s.Tooling,
		kindsAnnotation:   strings.Join(slices.Sorted(maps.Keys(kinds)), ","),
	}
	if len(namespaces) > 0 {
		annotations[namespaceAnnotation] = strings.Join(slices.Sorted(maps.Keys(namespaces)), ",")
	}
	parent = &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "v1",
		"kind":       "ConfigMap",
		"metadata": map[string]any{
			"name": s.Name, "namespace": s.Namespace,
			"labels":      map[string]any{SetIDLabel: s.ID()},
			"annotations": annotations,
		},
	}}
	if len(s.Data) > 0 {
		data := map[string]any{}
		for key, value := range s.Data {
			data[key] = value
		}
		parent.Object["data"] = data
	}
	return members, parent
}

// isParent is true for an object that stands for a set.
func isParent(object *unstructured.Unstructured) bool { return object.GetLabels()[SetIDLabel] != "" }

// isMember is true for an object that belongs to a set.
func isMember(object *unstructured.Unstructured) bool { return object.GetLabels()[partOfLabel] != "" }

// keepLists adds to a parent the kinds and namespaces that the live one lists. What an earlier run applied and this one does
// not is still a member, and is found by these lists until it is deleted.
func keepLists(parent, live *unstructured.Unstructured) {
	annotations := parent.GetAnnotations()
	for _, list := range []string{kindsAnnotation, namespaceAnnotation} {
		was, is := live.GetAnnotations()[list], annotations[list]
		if was == "" {
			continue
		}
		all := strings.Split(was, ",")
		if is != "" {
			all = append(all, strings.Split(is, ",")...)
		}
		slices.Sort(all)
		annotations[list] = strings.Join(slices.Compact(all), ",")
	}
	parent.SetAnnotations(annotations)
}
