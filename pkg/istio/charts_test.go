package istio

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/kubectl-mesh/kubectl-mesh/pkg/istio/wellknown"
)

// The number of the release is in no package of Istio's module, and its version as a module does not tell. So the module
// that it is the number of is held here: who updates one has to update the other.
func TestRelease(t *testing.T) {
	t.Parallel()
	const module = "istio.io/istio v0.0.0-20260306174214-6991a379e1fc"
	for file, want := range map[string]string{
		"../../go.mod":            module,
		"../../test/lab/go.mod":   module,
		"../../test/lab/build.go": `istioVersion      = "` + builtInRelease + `"`,
	} {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(string(text), want) {
			t.Errorf("%s has not %s: is the built-in release still %s?", file, want, builtInRelease)
		}
	}
	if got := (Charts{}).Release(); got != builtInRelease {
		t.Errorf("the built-in charts call themselves %s", got)
	}
}

func TestReleaseOfOtherCharts(t *testing.T) {
	t.Parallel()
	for profile, want := range map[string]string{
		"spec:\n  tag: 1.28.3\n":  "1.28.3",
		"spec:\n  tag: 1.28\n":    "1.28",
		"spec:\n  hub: none\n":    builtInRelease,
		"spec: [not what it was]": builtInRelease,
		"":                        builtInRelease, // no such file
	} {
		dir := t.TempDir()
		if profile != "" {
			write(t, filepath.Join(dir, "profiles", "default.yaml"), profile)
		}
		c := Charts{Dir: dir}
		if got := c.Release(); got != want {
			t.Errorf("%q is of release %s, want %s", profile, got, want)
		}
		if got := c.tag(); got != want {
			t.Errorf("%q has images of tag %s, want %s", profile, got, want)
		}
		if c.Tag = "mine"; c.tag() != "mine" {
			t.Errorf("the user's tag is %s", c.tag())
		}
	}
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o750); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestValidate(t *testing.T) {
	t.Parallel()
	good := filepath.Join(t.TempDir(), "good.yaml")
	write(t, good, "apiVersion: install.istio.io/v1alpha1\nkind: IstioOperator\nspec:\n  values:\n    pilot:\n      autoscaleEnabled: false\n")
	bad := filepath.Join(t.TempDir(), "bad.yaml")
	write(t, bad, "apiVersion: install.istio.io/v1alpha1\nkind: IstioOperator\nspec:\n  values:\n    pilot:\n      autoscaled: false\n")
	empty := t.TempDir()
	for _, test := range []struct {
		name   string
		charts Charts
		says   string
	}{
		{"nothing", Charts{}, ""},
		{"an overlay and a setting", Charts{Files: []string{good}, Set: []string{"values.pilot.replicaCount=2"}}, ""},
		{"no such file", Charts{Files: []string{filepath.Join(empty, "gone.yaml")}}, "gone.yaml: no such file"},
		{"no charts", Charts{Dir: empty}, "--manifests " + empty + " has no folder charts: give the manifests folder of an Istio release"},
		{"an unknown value in a file", Charts{Files: []string{bad}}, `unknown field "autoscaled"`},
		{"an unknown value", Charts{Set: []string{"values.global.meshid=x"}}, `unknown field "meshid"`},
		{"an unknown field", Charts{Set: []string{"compnents.pilot.enabled=true"}}, `unknown field "compnents"`},
		{"no value", Charts{Set: []string{"values.pilot.replicaCount"}}, `--set "values.pilot.replicaCount" is not PATH=VALUE`},
		{"no path", Charts{Set: []string{"=1"}}, `--set "=1" is not PATH=VALUE`},
		{"a value where others belong", Charts{Set: []string{"values.pilot=1"}}, "a setting does not fit its place: not a map, got"},
		{"a list where there is none", Charts{Set: []string{"values.pilot.[0].x=1"}}, "a setting does not fit its place: "},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			err := test.charts.Validate()
			if test.says == "" {
				if err != nil {
					t.Errorf("it is refused: %v", err)
				}
			} else if err == nil || !strings.Contains(err.Error(), test.says) {
				t.Errorf("it says %v, which does not have %q", err, test.says)
			}
		})
	}
}

func TestUserSettings(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "mine.yaml")
	write(t, file, `apiVersion: install.istio.io/v1alpha1
kind: IstioOperator
spec:
  profile: demo
  revision: canary
  values:
    global: {meshID: shop, network: eu, multiCluster: {clusterName: east}}
`)
	for _, test := range []struct {
		name   string
		charts Charts
		want   UserSettings
	}{
		{"nothing", Charts{}, UserSettings{}},
		{"an overlay", Charts{Files: []string{file}}, UserSettings{MeshID: "shop", Cluster: "east", Network: "eu", Revision: "canary", Profile: "demo"}},
		{"a setting wins", Charts{Files: []string{file}, Set: []string{"values.global.network=us", "values.global.meshID=mine"}},
			UserSettings{MeshID: "mine", Cluster: "east", Network: "us", Revision: "canary", Profile: "demo"}},
		{"a setting without an identity", Charts{Set: []string{"values.pilot.replicaCount=2"}}, UserSettings{}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			got, err := test.charts.UserSettings()
			if err != nil {
				t.Fatal(err)
			}
			if got != test.want {
				t.Errorf("got %+v, want %+v", got, test.want)
			}
		})
	}
}

// The user's file is laid over Istio's profile, ours over the user's, and the user's settings over all.
func TestPrecedence(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "mine.yaml")
	write(t, file, `apiVersion: install.istio.io/v1alpha1
kind: IstioOperator
metadata: {name: mine}
spec:
  values:
    global: {meshID: theirs, imagePullPolicy: IfNotPresent}
    pilot: {autoscaleEnabled: false, env: {MINE: "1"}}
`)
	objects, err := Charts{Files: []string{file}, Set: []string{"values.pilot.env.EXTERNAL_ISTIOD=false"}, Hub: "registry.example/istio", Tag: "mine"}.Primary(primary())
	if err != nil {
		t.Fatal(err)
	}
	container := discovery(t, objects)
	env := envOf(container)
	for name, want := range map[string]string{"MINE": "1", wellknown.ExternalIstiodVariable: "false", wellknown.ClusterIDVariable: "east"} {
		if env[name] != want {
			t.Errorf("%s is %q, want %q", name, env[name], want)
		}
	}
	if container["image"] != "registry.example/istio/pilot:mine" || container["imagePullPolicy"] != "IfNotPresent" {
		t.Errorf("the image is %v, pulled %v", container["image"], container["imagePullPolicy"])
	}
	for _, o := range objects {
		if o.GetKind() == "HorizontalPodAutoscaler" {
			t.Error("the user has switched autoscaling off")
		}
		if owner := o.GetLabels()[owningResourceLabel]; owner != "primary" && owner != "base" {
			t.Errorf("%s/%s belongs to %q: another name would let istioctl prune it", o.GetKind(), o.GetName(), owner)
		}
	}
}

// discovery is istiod's container.
func discovery(t *testing.T, objects []*unstructured.Unstructured) map[string]any {
	t.Helper()
	return container(t, only(t, objects, "Deployment"))
}

// container is a Deployment's only container.
func container(t *testing.T, deployment *unstructured.Unstructured) map[string]any {
	t.Helper()
	containers, _, err := unstructured.NestedSlice(deployment.Object, "spec", "template", "spec", "containers")
	if err != nil || len(containers) != 1 {
		t.Fatalf("%s has %d containers (%v)", deployment.GetName(), len(containers), err)
	}
	return containers[0].(map[string]any)
}

func envOf(container map[string]any) map[string]string {
	env := map[string]string{}
	for _, v := range container["env"].([]any) {
		variable := v.(map[string]any)
		if value, is := variable["value"].(string); is {
			env[variable["name"].(string)] = value
		}
	}
	return env
}

// only is the one object of a kind.
func only(t *testing.T, objects []*unstructured.Unstructured, kind string) *unstructured.Unstructured {
	t.Helper()
	var found []*unstructured.Unstructured
	for _, o := range objects {
		if o.GetKind() == kind {
			found = append(found, o)
		}
	}
	if len(found) != 1 {
		t.Fatalf("there are %d objects of kind %s in:\n%s", len(found), kind, list(objects))
	}
	return found[0]
}

// named is the object of a kind and name.
func named(t *testing.T, objects []*unstructured.Unstructured, kind, name string) *unstructured.Unstructured {
	t.Helper()
	i := slices.IndexFunc(objects, func(o *unstructured.Unstructured) bool { return o.GetKind() == kind && o.GetName() == name })
	if i < 0 {
		t.Fatalf("there is no %s %s in:\n%s", kind, name, list(objects))
	}
	return objects[i]
}

// Where no temporary file can be written, as in a container with a read-only file system, the error says how to have it elsewhere.
func TestNoPlaceForTemporaryFiles(t *testing.T) {
	t.Setenv("TMPDIR", filepath.Join(t.TempDir(), "missing"))
	_, err := Charts{}.render(overlay{name: "primary", namespace: "istio-system"})
	if err == nil || !strings.Contains(err.Error(), "set TMPDIR to a folder that can be written to") {
		t.Errorf("%v", err)
	}
}
