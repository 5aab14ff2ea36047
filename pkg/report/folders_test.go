package report

import (
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/kubectl-mesh/kubectl-mesh/pkg/apply"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/internal/golden"
)

func wanted(cluster, part, kind, name string, more map[string]any) Object {
	content := map[string]any{"apiVersion": "v1", "kind": kind, "metadata": map[string]any{"name": name}}
	maps.Copy(content, more)
	o := &unstructured.Unstructured{Object: content}
	return Object{Cluster: cluster, Part: part, Result: apply.Result{Wanted: o, Now: o}}
}

func TestFolders(t *testing.T) {
	t.Parallel()
	objects := []Object{
		wanted("east", "3-attach-west", "Secret", "istio-remote-secret-west", map[string]any{"data": map[string]any{"west": "dG9rZW4="}}),
		wanted("west", "3-attach-west", "MutatingWebhookConfiguration", "injector", nil),
		wanted("west", "3-attach-west", "Namespace", "istio-system", nil),
		wanted("west", "3-attach-west", "Secret", "reader-token", map[string]any{"type": "kubernetes.io/service-account-token"}),
		wanted("west", "3-attach-west", "ConfigMap", "a:b", nil),
	}
	for _, secrets := range []Secrets{OmitSecrets, PlaceholderSecrets, PlainSecrets} {
		dir := t.TempDir()
		for name, text := range map[string]string{
			"1-install-primary.0-namespace-istio-system.yaml": "kind: Namespace\n", "3-attach-west.1-service-gone.yaml": "kind: Service\n", "notes.txt": "mine\n",
		} {
			if err := os.MkdirAll(filepath.Join(dir, "east"), 0o750); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(dir, "east", name), []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		folders, err := Folders(dir, objects, secrets)
		if err != nil || len(folders) != 2 {
			t.Fatalf("%v, %v", folders, err)
		}
		var text strings.Builder
		err = filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
			if err != nil || entry.IsDir() {
				return err
			}
			info, err := entry.Info()
			if err != nil {
				return err
			}
			content, err := os.ReadFile(path)
			fmt.Fprintf(&text, "# %s %s\n%s\n", strings.TrimPrefix(path, dir+"/"), info.Mode(), content)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		golden.Equal(t, "folders-"+string(secrets)+".txt", text.String())
	}
}

// A folder that can't be written to is an error, not a command that seems to have worked.
func TestFoldersOnAFile(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Folders(file, []Object{wanted("east", "p", "Namespace", "n", nil)}, OmitSecrets); err == nil {
		t.Error("it is said to be written")
	}
}

// A secret that somebody has sealed since stays where credentials are left out, and a folder that would be empty is not
// made.
func TestFoldersLeaveSealedSecrets(t *testing.T) {
	t.Parallel()
	secret := wanted("east", "3-attach-west", "Secret", "istio-remote-secret-west", map[string]any{"data": map[string]any{"west": "dG9rZW4="}})
	dir := t.TempDir()
	if folders, err := Folders(dir, []Object{secret}, OmitSecrets); err != nil || len(folders) != 0 {
		t.Errorf("wrote %q, %v", folders, err)
	}
	if _, err := os.Stat(filepath.Join(dir, "east")); err == nil {
		t.Error("an empty folder was made")
	}
	if _, err := Folders(dir, []Object{secret}, PlainSecrets); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "east", fileName(secret))
	if err := os.WriteFile(file, []byte("kind: SealedSecret\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Folders(dir, []Object{secret}, OmitSecrets); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(file)
	if err != nil || string(text) != "kind: SealedSecret\n" {
		t.Errorf("the sealed file is %q, %v", text, err)
	}
	named, err := os.ReadFile(filepath.Join(dir, "east", kustomization))
	if err != nil || !strings.Contains(string(named), filepath.Base(file)) {
		t.Errorf("the kustomization does not name it: %s, %v", named, err)
	}
}

// What is said of a file with credentials is what is in it.
func TestHeld(t *testing.T) {
	t.Parallel()
	secret := wanted("east", "3-attach-west", "Secret", "istio-remote-secret-west", map[string]any{"data": map[string]any{"west": "dG9rZW4="}})
	dir := t.TempDir()
	expect := func(what string, there, plain bool) {
		t.Helper()
		file, got, err := Held(dir, secret)
		if err != nil || (file != "") != there || got != plain {
			t.Errorf("%s: file %q, plain %v, %v", what, file, got, err)
		}
	}
	expect("nothing", false, false)
	for _, step := range []struct {
		secrets Secrets
		plain   bool
	}{{PlainSecrets, true}, {OmitSecrets, true}, {PlaceholderSecrets, false}, {OmitSecrets, false}} {
		if _, err := Folders(dir, []Object{secret}, step.secrets); err != nil {
			t.Fatal(err)
		}
		expect(string(step.secrets), true, step.plain)
	}
	for _, text := range []string{"kind: SealedSecret\nspec: {encryptedData: {west: x}}\n", "kind: Secret\ndata: {west: ENC[x]}\nsops: {}\n", "{{ a template }}: }"} {
		if err := os.WriteFile(filepath.Join(dir, "east", fileName(secret)), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		expect(text, true, false)
	}
}
