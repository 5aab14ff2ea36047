package istio

import (
	"path/filepath"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/api/equality"
	"sigs.k8s.io/yaml"
)

// Settings mean what they mean to istioctl; lists in braces and values with an equals sign are understood, too.
func TestSet(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ name, sets, want string }{
		{"a number, a boolean, a text", "a=1 b=true c=x d=1.5", "{a: 1, b: true, c: x, d: 1.5}"},
		{"a tag is text", "tag=1.29", `{tag: "1.29"}`},
		{"a path", "a.b.c=x", "{a: {b: {c: x}}}"},
		{"a key with dots", `a.b\.c=x`, "{a: {b.c: x}}"},
		{"an empty value", "a=", `{a: ""}`},
		{"an equals sign in the value", "a=--x=1", "{a: --x=1}"},
		{"an escaped comma", `a=x\,y`, `{a: "x,y"}`},
		{"elements of a list", "a[0]=x a[1]=v", "{a: [x, v]}"},
		{"an element again", "a[0]=x a[1]=v a[0]=z", "{a: [z, v]}"},
		{"an element of a list in braces", "a={x,y} a[1]=z", "{a: [x, z]}"},
		{"fields of an element", "a[0].b=x a[0].c=v", "{a: [{b: x, c: v}]}"},
		{"a list", "a={x,1,true}", "{a: [x, 1, true]}"},
		{"an empty list", "a={}", "{a: []}"},
		{"a list with an escaped comma", `a={x\,y,z}`, `{a: ["x,y", z]}`},
		{"a list instead of another", "a={x,y} a={z}", "{a: [z]}"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			merged, err := Charts{Set: strings.Fields(test.sets)}.merged(nil)
			if err != nil {
				t.Fatal(err)
			}
			var got, want map[string]any
			if err := yaml.Unmarshal([]byte(merged.YAML()), &got); err != nil {
				t.Fatal(err)
			}
			if err := yaml.Unmarshal([]byte(test.want), &want); err != nil {
				t.Fatal(err)
			}
			if !equality.Semantic.DeepEqual(got["spec"], any(want)) {
				t.Errorf("got %v, want %v", got["spec"], want)
			}
		})
	}
}

// What Istio would pass over in silence, or what would come to nothing in a cluster, is refused.
func TestRefusedSettings(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "mine.yaml")
	write(t, file, "apiVersion: install.istio.io/v1alpha1\nkind: IstioOperator\nspec:\n  meshConfig:\n    defaultConfig:\n      holdApplicationUntilProxyStart: true\n")
	two := filepath.Join(t.TempDir(), "two.yaml")
	write(t, two, "kind: IstioOperator\nspec: {}\n---\nkind: IstioOperator\nspec: {}\n")
	for _, test := range []struct {
		name   string
		charts Charts
		says   string
	}{
		{"a list of tags", Charts{Set: []string{"values.revisionTags={a,b}"}}, ""},
		{"mesh configuration", Charts{Set: []string{"meshConfig.trustDomain=shop.example", "values.meshConfig.accessLogFile=/dev/stdout"}}, ""},
		{"proxy metadata", Charts{Set: []string{"meshConfig.defaultConfig.proxyMetadata.ANY=1"}}, ""},
		{"selectors", Charts{Set: []string{"meshConfig.discoverySelectors[0].matchLabels.a=b"}}, ""},
		{"a misspelt field", Charts{Set: []string{"meshConfig.trustDomian=x"}}, `meshConfig: unknown field "trustDomian"`},
		{"a misspelt field of values", Charts{Set: []string{"values.meshConfig.trustDomian=x"}}, `values.meshConfig: unknown field "trustDomian"`},
		{"a misspelt field in a file", Charts{Files: []string{file}}, `unknown field "holdApplicationUntilProxyStart"`},
		{"a field of another kind", Charts{Set: []string{"meshConfig.enableTracing=x"}}, "meshConfig: "},
		{"a value that Istio does not take", Charts{Set: []string{"meshConfig.connectTimeout=0.0001s"}}, "meshConfig: invalid connect timeout"},
		{"no settings at all", Charts{Set: []string{"meshConfig=x"}}, "meshConfig: it holds settings"},
		{"two objects in a file", Charts{Files: []string{two}}, "has 2 objects"},
		{"a hub", Charts{Hub: "registry.example:5000/a/istio-images"}, ""},
		{"a hub with a scheme", Charts{Hub: "http://x"}, `hub "http://x" is not where images come from`},
		{"a hub with a slash", Charts{Hub: "docker.io/istio/"}, `hub "docker.io/istio/"`},
		{"a hub with a tag", Charts{Hub: "docker.io/istio:1.29"}, `hub "docker.io/istio:1.29"`},
		{"a hub among the settings", Charts{Set: []string{"hub=https://x"}}, `hub "https://x"`},
		{"a hub among the values", Charts{Set: []string{"values.global.hub=a b"}}, `hub "a b"`},
		{"a tag", Charts{Tag: "1.29.1-distroless"}, ""},
		{"a tag that is none", Charts{Tag: "a b"}, `tag "a b" is not an image's`},
		{"a tag with a colon", Charts{Tag: "pilot:1.29"}, `tag "pilot:1.29"`},
		{"a tag among the settings", Charts{Set: []string{"tag=-x"}}, `tag "-x"`},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			err := test.charts.Validate()
			switch {
			case test.says == "" && err != nil:
				t.Errorf("it is refused: %v", err)
			case test.says != "" && (err == nil || !strings.Contains(err.Error(), test.says)):
				t.Errorf("it says %v, which does not have %q", err, test.says)
			}
		})
	}
}

func TestValidateProfile(t *testing.T) {
	t.Parallel()
	for profile, known := range map[string]bool{"": true, "minimal": true, "default": true, "remote": false, "minimum": false, "../profiles/minimal": false} {
		if err := (Charts{}).ValidateProfile(profile); (err == nil) != known {
			t.Errorf("profile %q: %v", profile, err)
		} else if err != nil && !strings.Contains(err.Error(), "demo, empty, minimal") {
			t.Errorf("profile %q: %v does not name the profiles", profile, err)
		}
	}
	dir := t.TempDir()
	write(t, filepath.Join(dir, "profiles", "mine.yaml"), "spec: {}\n")
	if err := (Charts{Dir: dir}).ValidateProfile("mine"); err != nil {
		t.Errorf("a profile of other charts: %v", err)
	}
}
