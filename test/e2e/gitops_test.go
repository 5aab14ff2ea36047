package e2e

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"

	"github.com/kubectl-mesh/kubectl-mesh/test/labtest"
)

// docs is where the documentation is that these tests hold to its word.
const docs = "../../docs"

// here puts the lab's clusters in the place of those of the documentation.
func here(text string) string {
	text = regexp.MustCompile(`\beast\b`).ReplaceAllString(text, "cluster1")
	return regexp.MustCompile(`\bwest\b`).ReplaceAllString(text, "cluster3")
}

// definitions are the tools' modules, and the files in them that the manifests must fit.
func definitions() map[string][]string {
	const flux = "config/crd/bases/"
	return map[string][]string{
		"github.com/argoproj/argo-cd/v3@v3.4.13": {
			"manifests/crds/application-crd.yaml", "manifests/crds/appproject-crd.yaml",
		},
		"github.com/fluxcd/kustomize-controller@v1.9.6": {flux + "kustomize.toolkit.fluxcd.io_kustomizations.yaml"},
		"github.com/fluxcd/source-controller@v1.9.6":    {flux + "source.toolkit.fluxcd.io_gitrepositories.yaml"},
	}
}

// The API server takes every manifest by the tools' own definitions, and refuses fields that these do not have.
func manifestsFit(t *testing.T, lab *labtest.Lab, cluster string) {
	t.Helper()
	for module, files := range definitions() {
		download := exec.CommandContext(t.Context(), "go", "mod", "download", "-json", module)
		download.Dir = t.TempDir() // not this repository's own module, of which these are no part
		r := labtest.Finish(t, download)
		var there struct{ Dir, Error string }
		if err := json.Unmarshal([]byte(r.Stdout), &there); err != nil || there.Dir == "" {
			t.Fatalf("%s: %v%s%s", module, err, there.Error, r.Stderr)
		}
		for _, file := range files {
			lab.Kubectl(t, cluster, "apply", "--server-side", "-f", filepath.Join(there.Dir, file))
		}
	}
	lab.Kubectl(t, cluster, "wait", "customresourcedefinition", "--all", "--timeout=5m",
		"--for=condition=Established") // a filter of jsonpath fails on a definition that has no condition yet
	for _, namespace := range []string{"argocd", "flux-system"} {
		lab.Kubectl(t, cluster, "create", "namespace", namespace)
	}
	strict := []string{"apply", "--server-side", "--validate=strict", "--recursive", "-f"}
	lab.Kubectl(t, cluster, append(strict, filepath.Join(docs, "gitops"))...)

	text, err := os.ReadFile(filepath.Join(docs, "gitops", "flux", "west.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	misspelt := filepath.Join(t.TempDir(), "west.yaml")
	if err := os.WriteFile(misspelt, []byte(strings.Replace(string(text), "dependsOn:", "dependOn:", 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	if r := lab.Run(t, "kubectl", append([]string{"--context", cluster}, append(strict, misspelt)...)...); r.Code == 0 {
		t.Error("a misspelt field was taken, so that the manifests above were not looked at either")
	}
}

// applied is what one manifest has a tool apply.
type applied struct {
	Metadata struct{ Name string }
	Kind     string
	Spec     struct {
		Path        string
		Source      struct{ Path string }
		Destination struct{ Name string }
		DependsOn   []struct{ Name string }
		KubeConfig  struct{ SecretRef struct{ Name string } }
	}
}

// manifests reads those of a tool, of a kind.
func manifests(t *testing.T, tool, kind string) map[string]applied {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(docs, "gitops", tool, "*.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]applied{}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for document := range strings.SplitSeq(string(text), "---\n") {
			var one applied
			if err := yaml.Unmarshal([]byte(document), &one); err != nil {
				t.Fatalf("%s: %v", file, err)
			}
			if one.Kind == kind {
				found[one.Metadata.Name] = one
			}
		}
	}
	return found
}

// What Flux does with the folders, in its order, comes to rest in a mesh that works; and the folders can be written
// again, although the control plane is now Flux's.
func likeFlux(t *testing.T, lab *labtest.Lab) {
	t.Helper()
	dir := t.TempDir()
	write := func() (folders []string) {
		for _, command := range []string{
			"install-primary --output-dir mesh/control-plane", "expose-istiod --output-dir mesh/gateway",
			"attach-remote west --output-dir mesh/remotes --secrets plain",
		} {
			words := strings.Fields(here(command))
			args := append(append(words, "--context", "cluster1"), lab.Needs(words[0])...)
			plugin := lab.Command(t.Context(), os.Getenv("KUBECTL_MESH_BIN"), args...)
			plugin.Dir = dir
			r := labtest.Finish(t, plugin)
			if r.Code != 0 {
				t.Fatalf("%s: %s%s", command, r.Stdout, r.Stderr)
			}
			folders = append(folders, strings.Fields(r.Stdout)...)
		}
		slices.Sort(folders)
		return folders
	}
	folders := write()
	explained(t, dir, folders)

	kustomizations := manifests(t, "flux", "Kustomization")
	paths := map[string][]string{}
	for _, k := range kustomizations {
		paths["Flux"] = append(paths["Flux"], strings.TrimPrefix(here(k.Spec.Path), "./"))
		if k.Spec.KubeConfig.SecretRef.Name == "" != strings.HasSuffix(k.Spec.Path, "/east") {
			t.Errorf("%s is applied to another cluster than that of its folder", k.Metadata.Name)
		}
	}
	for _, application := range manifests(t, "argo-cd", "Application") {
		paths["Argo CD"] = append(paths["Argo CD"], here(application.Spec.Source.Path))
		if filepath.Base(application.Spec.Source.Path) != application.Spec.Destination.Name {
			t.Errorf("%s is applied to another cluster than that of its folder", application.Metadata.Name)
		}
	}
	for _, tool := range []string{"Argo CD", "Flux"} {
		slices.Sort(paths[tool])
		if !slices.Equal(paths[tool], folders) {
			t.Errorf("%s applies %q, and there are %q", tool, paths[tool], folders)
		}
	}

	pass := func() {
		done := map[string]bool{}
		var apply func(name string)
		apply = func(name string) {
			k := kustomizations[name]
			for _, before := range k.Spec.DependsOn {
				apply(before.Name)
			}
			if !done[name] {
				done[name] = true
				lab.Kubectl(t, filepath.Base(here(k.Spec.Path)), "apply", "--server-side", "--force-conflicts",
					"--field-manager", "kustomize-controller", "-k", marked(t, dir, k))
			}
		}
		for name := range kustomizations {
			apply(name)
		}
	}
	pass()
	before := versions(t, lab, "cluster1", "cluster3")
	pass()
	mustBeUnwritten(t, before, versions(t, lab, "cluster1", "cluster3"))
	healthy(t, lab, "cluster3")
	if again := write(); !slices.Equal(again, folders) {
		t.Errorf("written again under Flux's hands, the folders are %q, not %q", again, folders)
	}
	mustContain(t, lab.MustMesh(t, "install-primary", "--context", "cluster1", "-f", lab.Overlay).Stdout, "it is left as it is")
	mustBeUnwritten(t, before, versions(t, lab, "cluster1", "cluster3"))
}

// explained fails for an object in the folders that docs/concepts.md does not tell of.
func explained(t *testing.T, dir string, folders []string) {
	t.Helper()
	page, err := os.ReadFile(filepath.Join(docs, "concepts.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, folder := range folders {
		files, err := filepath.Glob(filepath.Join(dir, folder, "[0-9]*.yaml"))
		if err != nil || len(files) == 0 {
			t.Fatalf("%s has no objects: %v", folder, err)
		}
		for _, file := range files {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			var object applied
			if err := yaml.Unmarshal(text, &object); err != nil {
				t.Fatalf("%s: %v", file, err)
			}
			// Definitions, roles and what stands for an ApplySet are told of as such.
			several := strings.HasPrefix(object.Metadata.Name, "kubectl-mesh-")
			for _, kind := range []string{"CustomResourceDefinition", "Role", "RoleBinding"} {
				several = several || strings.HasSuffix(object.Kind, kind)
			}
			if name := "`" + object.Metadata.Name; !several && !strings.Contains(here(string(page)), name) {
				t.Errorf("docs/concepts.md does not tell of %s %s` (%s)", object.Kind, name, file)
			}
		}
	}
}

// marked makes a folder of a Kustomization's with the labels that Flux gives to what it applies.
func marked(t *testing.T, dir string, k applied) string {
	t.Helper()
	folder := filepath.Join(dir, "flux", k.Metadata.Name)
	text, err := yaml.Marshal(map[string]any{
		"resources": []string{filepath.Join("..", "..", here(k.Spec.Path))},
		"labels": []any{map[string]any{"pairs": map[string]string{
			"kustomize.toolkit.fluxcd.io/name": k.Metadata.Name, "kustomize.toolkit.fluxcd.io/namespace": "flux-system",
		}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(folder, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(folder, "kustomization.yaml"), text, 0o600); err != nil {
		t.Fatal(err)
	}
	return folder
}
