package snapshot

import (
	"maps"
	"slices"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
)

// DiscoverySelectors are those of a mesh configuration (meshConfig.discoverySelectors): in every cluster istiod looks only at
// the namespaces that one of them selects, and at all where there are none. Into others it writes no root certificate.
type DiscoverySelectors []metav1.LabelSelector

// Select is true for a namespace with these labels at which istiod looks.
func (s DiscoverySelectors) Select(namespace map[string]string) bool {
	selected := len(s) == 0
	for _, one := range s {
		selector, err := metav1.LabelSelectorAsSelector(&one)
		selected = selected || err != nil || selector.Matches(labels.Set(namespace)) // istiod leaves out all where one is invalid
	}
	return selected
}

// MissingLabels are the labels that a namespace must be given for istiod to look at it; false where no label helps.
func (s DiscoverySelectors) MissingLabels(namespace map[string]string) (map[string]string, bool) {
	if s.Select(namespace) {
		return nil, true
	}
	for _, one := range s {
		wanted := wantedBy(one, namespace)
		with := map[string]string{}
		maps.Copy(with, namespace)
		maps.Copy(with, wanted)
		if _, fixed := wanted[corev1.LabelMetadataName]; !fixed && (DiscoverySelectors{one}).Select(with) {
			return wanted, true
		}
	}
	return nil, false
}

// wantedBy are labels that a selector asks for and that are not there.
func wantedBy(selector metav1.LabelSelector, there map[string]string) map[string]string {
	wanted := map[string]string{}
	for key, value := range selector.MatchLabels {
		if now, has := there[key]; !has || now != value {
			wanted[key] = value
		}
	}
	for _, e := range selector.MatchExpressions {
		now, has := there[e.Key]
		switch {
		case e.Operator == metav1.LabelSelectorOpExists && !has:
			wanted[e.Key] = "true"
		case e.Operator == metav1.LabelSelectorOpIn && !slices.Contains(e.Values, now) && len(e.Values) > 0:
			wanted[e.Key] = e.Values[0]
		}
	}
	return wanted
}

// LabelArgs are kubectl's arguments that give a namespace the labels that it lacks; nil where none help.
func (s DiscoverySelectors) LabelArgs(name string, namespace map[string]string) []string {
	lacking, help := s.MissingLabels(namespace)
	if !help || len(lacking) == 0 {
		return nil
	}
	args := []string{"label", "--overwrite", "namespace", name}
	for _, key := range slices.Sorted(maps.Keys(lacking)) {
		args = append(args, key+"="+lacking[key])
	}
	return args
}
