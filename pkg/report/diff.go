package report

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/cli-runtime/pkg/genericiooptions"
	"k8s.io/utils/exec"
	"sigs.k8s.io/yaml"

	"github.com/kubectl-mesh/kubectl-mesh/pkg/apply"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/internal/temporary"
)

// Diff shows what would change, as kubectl diff does: KUBECTL_EXTERNAL_DIFF is honoured, and the data of Secrets is masked.
// Nothing is shown where nothing would change.
//
// It does not use kubectl's own package, since that one brings in kubectl's translations, which are read whenever the
// program starts.
func Diff(streams genericiooptions.IOStreams, objects []Object) error {
	var changed []Object
	for _, o := range objects {
		if o.Verb != apply.Unchanged {
			changed = append(changed, o)
		}
	}
	if len(changed) == 0 {
		return nil
	}
	live, err := os.MkdirTemp("", "LIVE-")
	if err != nil {
		return temporary.Explain(err)
	}
	defer os.RemoveAll(live)
	merged, err := os.MkdirTemp("", "MERGED-")
	if err != nil {
		return temporary.Explain(err)
	}
	defer os.RemoveAll(merged)
	for _, o := range changed {
		if err := writeBoth(live, merged, o); err != nil {
			return fmt.Errorf("comparing %s of %s: %w", apply.Name(o.Wanted), o.Cluster, temporary.Explain(err))
		}
	}
	return runDiff(streams, live, merged)
}

// writeBoth writes an object as it is to one folder, and as it would be to another.
func writeBoth(live, merged string, o Object) error {
	before, after := withoutManagedFields(o.Live), withoutManagedFields(o.Now)
	if gvk := o.Now.GroupVersionKind(); gvk.Version == "v1" && gvk.Kind == "Secret" {
		if err := maskData(before, after); err != nil {
			return err
		}
		maskLastApplied(before, after)
	}
	gvk := o.Wanted.GroupVersionKind()
	name := strings.Join([]string{o.Cluster, gvk.Group, gvk.Version, gvk.Kind, o.Wanted.GetNamespace(), o.Wanted.GetName()}, ".")
	return errors.Join(writeObject(filepath.Join(live, name), before), writeObject(filepath.Join(merged, name), after))
}

// withoutManagedFields is a copy of an object without what kubectl diff does not compare; nil for nothing.
func withoutManagedFields(o *unstructured.Unstructured) *unstructured.Unstructured {
	if o == nil {
		return nil
	}
	copied := o.DeepCopy()
	copied.SetManagedFields(nil)
	return copied
}

// writeObject writes a file, which is empty for nothing.
func writeObject(path string, o *unstructured.Unstructured) error {
	var text []byte
	if o != nil {
		var err error
		if text, err = yaml.Marshal(o); err != nil {
			return err
		}
	}
	return os.WriteFile(path, text, 0o600)
}

// What stands for the values of Secrets, as in kubectl diff.
const (
	masked       = "***"
	maskedBefore = "*** (before)"
	maskedAfter  = "*** (after)"
)

// maskData hides the values of a Secret, so that one can still see which of them change.
func maskData(before, after *unstructured.Unstructured) error {
	old, err := dataOf(before)
	if err != nil {
		return err
	}
	values, err := dataOf(after)
	if err != nil {
		return err
	}
	for key, value := range values {
		switch was, both := old[key]; {
		case both && was != value:
			old[key], values[key] = maskedBefore, maskedAfter
		case both:
			old[key], values[key] = masked, masked
		default:
			values[key] = masked
		}
	}
	for key := range old {
		if _, both := values[key]; !both {
			old[key] = masked
		}
	}
	return errors.Join(setData(before, old), setData(after, values))
}

// maskLastApplied hides the copy of a Secret that kubectl apply keeps in an annotation. kubectl diff shows it.
func maskLastApplied(before, after *unstructured.Unstructured) {
	was, had := lastApplied(before)
	is, has := lastApplied(after)
	switch {
	case had && has && was != is:
		setLastApplied(before, maskedBefore)
		setLastApplied(after, maskedAfter)
		return
	case had:
		setLastApplied(before, masked)
	}
	if has {
		setLastApplied(after, masked)
	}
}

func lastApplied(secret *unstructured.Unstructured) (copied string, found bool) {
	if secret == nil {
		return "", false
	}
	copied, found = secret.GetAnnotations()[corev1.LastAppliedConfigAnnotation]
	return copied, found
}

func setLastApplied(secret *unstructured.Unstructured, text string) {
	annotations := secret.GetAnnotations()
	annotations[corev1.LastAppliedConfigAnnotation] = text
	secret.SetAnnotations(annotations)
}

func dataOf(secret *unstructured.Unstructured) (map[string]any, error) {
	if secret == nil {
		return nil, nil
	}
	data, _, err := unstructured.NestedMap(secret.Object, "data")
	return data, err
}

func setData(secret *unstructured.Unstructured, data map[string]any) error {
	if data == nil {
		return nil
	}
	return unstructured.SetNestedMap(secret.Object, data, "data")
}

// runDiff compares two folders with the program that the user has chosen, or with diff.
func runDiff(streams genericiooptions.IOStreams, live, merged string) error {
	program, args := "diff", []string{"-u", "-N", live, merged}
	if external := os.Getenv("KUBECTL_EXTERNAL_DIFF"); external != "" {
		words := strings.Split(external, " ")
		program, args = words[0], []string{live, merged}
		// kubectl, too, passes on no other arguments, and has them last.
		option := regexp.MustCompile(`^[a-zA-Z0-9=-]+$`)
		for _, word := range words[1:] {
			if option.MatchString(word) {
				args = append(args, word)
			}
		}
	}
	command := exec.New().Command(program, args...)
	command.SetStdout(streams.Out)
	command.SetStderr(streams.ErrOut)
	err := command.Run()
	var exit exec.ExitError
	if err == nil || errors.As(err, &exit) && exit.ExitStatus() == 1 { // 1 means a difference
		return nil
	}
	return fmt.Errorf("failed to run %q: %w", program, err)
}
