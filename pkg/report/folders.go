package report

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"

	"github.com/kubectl-mesh/kubectl-mesh/pkg/apply"
)

// Secrets is what is done with objects that carry credentials where objects are printed or written to files.
type Secrets string

// What can be done with them.
const (
	// OmitSecrets leaves them out; a file of an earlier run, which may be sealed by now, stays as it is.
	OmitSecrets Secrets = "omit"
	// PlaceholderSecrets puts a word in the place of every value, for a tool that seals secrets to be told where they go.
	PlaceholderSecrets Secrets = "sealed-placeholder"
	// PlainSecrets keeps them as they are.
	PlainSecrets Secrets = "plain"
)

// placeholder stands for a value that is to be sealed.
const placeholder = "SEALED"

const kustomization = "kustomization.yaml"

// Folders writes objects to files, for kubectl apply -k and for tools that apply folders: one folder for each cluster, in
// it a file for each object, in the order in which they can be applied, and a kustomization that names all files which are
// there. Files with credentials are for their owner alone. What an earlier run has left of the same parts, and this one
// does not write, is removed. It returns the folders; one in which there would be nothing is not made.
func Folders(dir string, objects []Object, secrets Secrets) ([]string, error) {
	byCluster := map[string][]Object{}
	var folders []string
	for _, o := range objects {
		if byCluster[o.Cluster] == nil {
			folders = append(folders, filepath.Join(dir, o.Cluster))
		}
		byCluster[o.Cluster] = append(byCluster[o.Cluster], o)
	}
	if secrets == OmitSecrets {
		folders = slices.DeleteFunc(folders, func(folder string) bool {
			plain, _ := WithoutCredentials(byCluster[filepath.Base(folder)])
			_, missing := os.Stat(folder)
			return len(plain) == 0 && missing != nil
		})
	}
	for i, folder := range folders {
		if err := writeFolder(folder, byCluster[filepath.Base(folder)], secrets); err != nil {
			return folders[:i], err
		}
	}
	return folders, nil
}

func writeFolder(folder string, objects []Object, secrets Secrets) error {
	if err := os.MkdirAll(folder, 0o755); err != nil { //nolint:gosec // what is secret in it has a mode of its own
		return err
	}
	parts, written := map[string]bool{}, map[string]bool{}
	for _, o := range objects {
		parts[o.Part] = true
	}
	plain, credentials := WithoutCredentials(objects)
	write := func(o Object, mode os.FileMode) error {
		text, err := yaml.Marshal(o.Now)
		if err != nil {
			return fmt.Errorf("writing %s: %w", apply.Name(o.Wanted), err)
		}
		name := fileName(o)
		written[name] = true
		return writeFile(filepath.Join(folder, name), text, mode)
	}
	for _, o := range plain {
		if err := write(o, 0o644); err != nil {
			return err
		}
	}
	for _, o := range credentials {
		switch secrets {
		case OmitSecrets:
			written[fileName(o)] = true // by whoever has put it there
			continue
		case PlaceholderSecrets:
			o.Now = sealed(o.Now)
		}
		if err := write(o, 0o600); err != nil {
			return err
		}
	}
	return finishFolder(folder, parts, written)
}

// finishFolder removes those files of the parts that were not written this time, and writes the kustomization.
func finishFolder(folder string, parts, written map[string]bool) error {
	entries, err := os.ReadDir(folder)
	if err != nil {
		return err
	}
	var resources []string
	for _, entry := range entries {
		name := entry.Name()
		part, _, _ := strings.Cut(name, ".")
		switch {
		case name == kustomization || !strings.HasSuffix(name, ".yaml"):
		case parts[part] && !written[name]:
			if err := os.Remove(filepath.Join(folder, name)); err != nil {
				return err
			}
		default:
			resources = append(resources, name)
		}
	}
	slices.Sort(resources)
	text, err := yaml.Marshal(map[string]any{
		"apiVersion": "kustomize.config.k8s.io/v1beta1", "kind": "Kustomization", "resources": resources,
		"sortOptions": map[string]any{"order": "fifo"},
	})
	if err != nil {
		return err
	}
	return writeFile(filepath.Join(folder, kustomization), text, 0o644)
}

// writeFile writes a file that has its mode from the first moment on.
func writeFile(path string, text []byte, mode os.FileMode) error {
	if err := os.Remove(path); err != nil && !os.IsNotExist(err) {
		return err
	}
	return os.WriteFile(path, text, mode)
}

// fileName sorts files as they can be applied.
func fileName(o Object) string {
	kind := strings.ToLower(o.Wanted.GetKind())
	return fmt.Sprintf("%s.%d-%s-%s.yaml", o.Part, apply.Rank(o.Wanted), kind, strings.ReplaceAll(o.Wanted.GetName(), ":", "-"))
}

// sealed is a Secret with a placeholder for each value.
func sealed(secret *unstructured.Unstructured) *unstructured.Unstructured {
	copied := secret.DeepCopy()
	values := map[string]any{}
	for _, field := range []string{"data", "stringData"} {
		there, _, _ := unstructured.NestedMap(copied.Object, field)
		for key := range there {
			values[key] = placeholder
		}
		delete(copied.Object, field)
	}
	copied.Object["stringData"] = values
	return copied
}

// Held is the file that a folder has for an object with credentials, where there is one that Folders leaves as it is, and whether
// the credentials are in it for all to read who may read the file.
func Held(dir string, o Object) (file string, plain bool, err error) {
	file = filepath.Join(dir, o.Cluster, fileName(o))
	text, err := os.ReadFile(file)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return "", false, nil
	case err != nil:
		return "", false, err
	}
	var content struct {
		Kind             string
		Data, StringData map[string]string
		SOPS             any
	}
	// What somebody else has put there need not be YAML.
	if yaml.Unmarshal(text, &content) != nil || content.Kind != "Secret" || content.SOPS != nil {
		return file, false, nil //nolint:nilerr // it is none of our Secrets
	}
	for _, values := range []map[string]string{content.Data, content.StringData} {
		for _, value := range values {
			plain = plain || value != placeholder
		}
	}
	return file, plain, nil
}

// SortObjects puts objects into the order in which they can be applied: by cluster, in the given order, by part, and there
// by what needs what. Objects of one rank are sorted by kind and name.
func SortObjects(objects []Object, clusters []string) {
	slices.SortStableFunc(objects, func(a, b Object) int {
		return cmp.Or(
			cmp.Compare(slices.Index(clusters, a.Cluster), slices.Index(clusters, b.Cluster)),
			cmp.Compare(a.Part, b.Part),
			cmp.Compare(apply.Rank(a.Wanted), apply.Rank(b.Wanted)),
			cmp.Compare(a.Wanted.GetKind(), b.Wanted.GetKind()),
			cmp.Compare(a.Wanted.GetName(), b.Wanted.GetName()),
		)
	})
}
