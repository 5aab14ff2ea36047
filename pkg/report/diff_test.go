package report

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/cli-runtime/pkg/genericiooptions"
	"k8s.io/kubectl/pkg/cmd/diff"
	"k8s.io/utils/exec"
	"sigs.k8s.io/yaml"

	"github.com/kubectl-mesh/kubectl-mesh/pkg/apply"
)

// parse makes an object of YAML; nil of nothing.
func parse(t *testing.T, text string) *unstructured.Unstructured {
	t.Helper()
	if text == "" {
		return nil
	}
	o := &unstructured.Unstructured{}
	if err := yaml.Unmarshal([]byte(text), &o.Object); err != nil {
		t.Fatal(err)
	}
	return o
}

// changes are objects with all that Diff distinguishes, apart from Secrets that are new.
func changes(t *testing.T) []Object {
	t.Helper()
	object := func(verb apply.Verb, live, now string) Object {
		o := Object{Cluster: "east", Result: apply.Result{Verb: verb, Live: parse(t, live), Now: parse(t, now)}}
		o.Wanted = o.Now
		return o
	}
	const (
		config = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings, namespace: istio-system, managedFields: [{manager: %}]}\ndata: {colour: %}\n"
		secret = "apiVersion: v1\nkind: Secret\nmetadata: {name: token, namespace: istio-system}\n"
	)
	return []Object{
		object(apply.Created, "", "apiVersion: v1\nkind: Namespace\nmetadata: {name: istio-system}\n"),
		object(apply.Configured, strings.ReplaceAll(config, "%", "red"), strings.ReplaceAll(config, "%", "blue")),
		object(apply.Unchanged, strings.ReplaceAll(config, "%", "green"), strings.ReplaceAll(config, "%", "yellow")),
		object(apply.Configured, secret+"data: {a: c2FtZQ==, b: b2xk, c: Z29uZQ==}\n", secret+"data: {a: c2FtZQ==, b: bmV3, d: YWRkZWQ=}\n"),
		object(apply.Configured, secret+"type: Opaque\n", secret+"type: Opaque\ndata: {a: c2FtZQ==}\n"),
		object(apply.Configured, secret+"data: {a: c2FtZQ==}\n", secret+"type: Opaque\n"),
		object(apply.Configured, "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: istiod}\nspec: {replicas: 1}\n",
			"apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: istiod}\nspec: {replicas: 2}\n"),
	}
}

// forKubectl is an Object as kubectl diff takes it.
type forKubectl struct{ Object }

func (o forKubectl) Live() runtime.Object {
	if o.Object.Live == nil {
		return nil
	}
	return o.Object.Live.DeepCopy()
}

func (o forKubectl) Merged() (runtime.Object, error) { return o.Now.DeepCopy(), nil }

func (o forKubectl) Name() string {
	gvk := o.Wanted.GroupVersionKind()
	return strings.Join([]string{o.Cluster, gvk.Group, gvk.Version, gvk.Kind, o.Wanted.GetNamespace(), o.Wanted.GetName()}, ".")
}

// kubectlDiff is what Diff is to do, done by kubectl's own package.
func kubectlDiff(t *testing.T, streams genericiooptions.IOStreams, objects []Object) error {
	t.Helper()
	differ, err := diff.NewDiffer("LIVE", "MERGED")
	if err != nil {
		t.Fatal(err)
	}
	defer differ.TearDown()
	for _, o := range objects {
		if o.Verb == apply.Unchanged {
			continue
		}
		if err := differ.Diff(forKubectl{o}, diff.Printer{}, false); err != nil {
			t.Fatal(err)
		}
	}
	return differ.Run(&diff.DiffProgram{Exec: exec.New(), IOStreams: streams})
}

// variable are a run's own parts of what is shown: the names of folders, and times.
var variable = regexp.MustCompile(`(LIVE|MERGED)-\d+|\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\S* \S+`)

// What is shown is what kubectl diff shows, by the same program with the same arguments.
func TestDiffIsKubectls(t *testing.T) {
	script := filepath.Join(t.TempDir(), "show")
	if err := os.WriteFile(script, []byte("#!/bin/sh\necho \"$@\"\nhead -50 \"$1\"/* \"$2\"/*\necho to stderr >&2\nexit ${EXIT:-0}\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	for name, env := range map[string]map[string]string{
		"diff":                       {},
		"a program with options":     {"KUBECTL_EXTERNAL_DIFF": "diff -N -U1"},
		"a program of one's own":     {"KUBECTL_EXTERNAL_DIFF": script + "  -x --long=1 'quoted' $(id) ; file.txt -"},
		"one that finds differences": {"KUBECTL_EXTERNAL_DIFF": script, "EXIT": "1"},
		"one that fails":             {"KUBECTL_EXTERNAL_DIFF": script, "EXIT": "2"},
		"none":                       {"KUBECTL_EXTERNAL_DIFF": script + "-missing"},
		"an empty name":              {"KUBECTL_EXTERNAL_DIFF": " diff"},
	} {
		t.Run(name, func(t *testing.T) {
			for key, value := range env {
				t.Setenv(key, value)
			}
			for i, o := range changes(t) { // one by one, since Secrets here have one name
				var shown [2]string
				for j, run := range []func(genericiooptions.IOStreams) error{
					func(s genericiooptions.IOStreams) error { return Diff(s, []Object{o}) },
					func(s genericiooptions.IOStreams) error {
						if o.Verb == apply.Unchanged {
							return nil
						}
						err := kubectlDiff(t, s, []Object{o})
						var exit exec.ExitError
						if errors.As(err, &exit) && exit.ExitStatus() == 1 {
							return nil
						}
						return err
					},
				} {
					var out, errOut bytes.Buffer
					err := run(genericiooptions.IOStreams{Out: &out, ErrOut: &errOut})
					text := out.String() + "\nstderr: " + errOut.String()
					if err != nil {
						text += "\nerror: " + err.Error()
					}
					shown[j] = variable.ReplaceAllString(text, "$1")
				}
				if shown[0] != shown[1] {
					t.Errorf("object %d: it shows\n%s\nand kubectl diff\n%s", i, shown[0], shown[1])
				}
				if name != "none" && name != "an empty name" && (o.Verb == apply.Unchanged) != (shown[0] == "\nstderr: ") {
					t.Errorf("object %d: it shows\n%s", i, shown[0])
				}
			}
		})
	}
}

// All objects are compared at once, and nothing of them stays.
func TestDiff(t *testing.T) {
	folder := t.TempDir()
	t.Setenv("TMPDIR", folder)
	objects := changes(t)[:3]
	secret := wanted("west", "", "Secret", "new", map[string]any{"data": map[string]any{"token": "c2VjcmV0"}})
	secret.Verb = apply.Created
	streams, _, out, _ := genericiooptions.NewTestIOStreams()
	if err := Diff(streams, append(objects, secret)); err != nil {
		t.Fatal(err)
	}
	for _, line := range []string{"+  name: istio-system\n", "-  colour: red\n", "+  colour: blue\n", "+  token: '***'\n", "east..v1.Namespace..istio-system"} {
		if !strings.Contains(out.String(), line) {
			t.Errorf("%q is missing in\n%s", line, out)
		}
	}
	if strings.Contains(out.String(), "green") || strings.Contains(out.String(), "c2VjcmV0") || strings.Contains(out.String(), "managedFields") {
		t.Errorf("it shows\n%s", out)
	}
	left, err := os.ReadDir(folder)
	if err != nil || len(left) > 0 {
		t.Errorf("it leaves %v (%v)", left, err)
	}
}

// The copy of a Secret that kubectl apply has left in an annotation is hidden as its data is.
func TestDiffHidesWhatWasLastApplied(t *testing.T) {
	secret := func(annotation string) *unstructured.Unstructured {
		text := "apiVersion: v1\nkind: Secret\nmetadata: {name: token, annotations: {mine: shown}}\ndata: {token: c2VjcmV0}\n"
		o := parse(t, text)
		if annotation != "" {
			o.SetAnnotations(map[string]string{"mine": "shown", "kubectl.kubernetes.io/last-applied-configuration": `{"data":{"token":"` + annotation + `"}}`})
		}
		return o
	}
	config := parse(t, "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings, annotations: {kubectl.kubernetes.io/last-applied-configuration: public}}\n")
	for name, test := range map[string]struct {
		live, now *unstructured.Unstructured
		shows     []string
	}{
		"changed":   {secret("c2VjcmV0"), secret("YW5vdGhlcg=="), []string{"-    kubectl.kubernetes.io/last-applied-configuration: '*** (before)'\n", "+    kubectl.kubernetes.io/last-applied-configuration: '*** (after)'\n"}},
		"as it was": {secret("c2VjcmV0"), labelled(secret("c2VjcmV0")), []string{"     kubectl.kubernetes.io/last-applied-configuration: '***'\n"}},
		"gone":      {secret("c2VjcmV0"), secret(""), []string{"-    kubectl.kubernetes.io/last-applied-configuration: '***'\n"}},
		"new":       {secret(""), secret("c2VjcmV0"), []string{"+    kubectl.kubernetes.io/last-applied-configuration: '***'\n"}},
		"a new one": {nil, secret("c2VjcmV0"), []string{"+    kubectl.kubernetes.io/last-applied-configuration: '***'\n", "+    mine: shown\n"}},
		"no Secret": {config, labelled(config), []string{"last-applied-configuration: public\n"}},
	} {
		o := Object{Cluster: "east", Result: apply.Result{Verb: apply.Configured, Live: test.live, Now: test.now, Wanted: test.now}}
		streams, _, out, _ := genericiooptions.NewTestIOStreams()
		if err := Diff(streams, []Object{o}); err != nil {
			t.Fatal(err)
		}
		for _, line := range test.shows {
			if !strings.Contains(out.String(), line) {
				t.Errorf("%s: %q is missing in\n%s", name, line, out)
			}
		}
		if strings.Contains(out.String(), "c2VjcmV0") || strings.Contains(out.String(), "YW5vdGhlcg") {
			t.Errorf("%s: it shows\n%s", name, out)
		}
		if test.live != nil && strings.Contains(test.live.GetAnnotations()["kubectl.kubernetes.io/last-applied-configuration"], "***") {
			t.Errorf("%s: the object itself has changed", name)
		}
	}
}

// labelled is a copy of an object with another label.
func labelled(o *unstructured.Unstructured) *unstructured.Unstructured {
	copied := o.DeepCopy()
	copied.SetLabels(map[string]string{"other": "label"})
	return copied
}

// --show-diff needs temporary files, as kubectl diff does: where there can be none, the error says how to have them elsewhere.
func TestDiffWithoutPlaceForFiles(t *testing.T) {
	t.Setenv("TMPDIR", filepath.Join(t.TempDir(), "missing"))
	o := wanted("east", "1-install-primary", "Namespace", "istio-system", nil)
	o.Verb = apply.Created
	streams, _, _, _ := genericiooptions.NewTestIOStreams()
	if err := Diff(streams, []Object{o}); err == nil || !strings.Contains(err.Error(), "set TMPDIR") {
		t.Errorf("%v", err)
	}
}
