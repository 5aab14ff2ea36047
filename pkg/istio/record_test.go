package istio

import (
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// A later run keeps what it is not told again, names exactly that, and records the same again.
func TestKeep(t *testing.T) {
	t.Parallel()
	first := filepath.Join(t.TempDir(), "first.yaml")
	write(t, first, `apiVersion: install.istio.io/v1alpha1
kind: IstioOperator
metadata: {name: mine}
spec:
  meshConfig: {trustDomain: shop.example}
  values: {pilot: {env: {A.B: "1", C: "2"}, tolerations: [{key: x}]}, global: {}}
`)
	second := filepath.Join(t.TempDir(), "second.yaml")
	write(t, second, "kind: IstioOperator\nspec: {meshConfig: {accessLogFile: /dev/stdout}}\n")
	told := Charts{
		Files: []string{first}, Set: []string{"values.pilot.env.D=3", "values.revisionTags={a,b}", "values.global.network=eu"},
		Hub: "registry.example/istio", Tag: "mine", Profile: "demo",
	}
	everything := []string{
		"--hub registry.example/istio", "--tag mine", "--profile demo",
		"-f meshConfig.trustDomain", `-f values.pilot.env.A\.B`, "-f values.pilot.env.C", "-f values.pilot.tolerations",
		"--set values.pilot.env.D", "--set values.revisionTags", "--set values.global.network",
	}
	without := func(begins ...string) []string {
		return slices.DeleteFunc(slices.Clone(everything), func(kept string) bool {
			return slices.ContainsFunc(begins, func(begin string) bool { return strings.HasPrefix(kept, begin) })
		})
	}
	for _, test := range []struct {
		name  string
		run   Charts
		given Given
		kept  []string
		// set are the settings that hold.
		set []string
	}{
		{"nothing", Charts{}, Given{}, everything, told.Set},
		{"all again", told, Given{Overlay: true, Hub: true, Tag: true, Profile: true}, nil, told.Set},
		{"another hub", Charts{Hub: "x"}, Given{Hub: true, Paths: []string{"hub"}}, without("--hub"), told.Set},
		{"the default profile", Charts{}, Given{Profile: true}, without("--profile"), told.Set},
		{"another overlay", Charts{Files: []string{second}}, Given{Overlay: true}, without("-f"), told.Set},
		{"another setting", Charts{Set: []string{"values.pilot.env.E=4"}}, Given{}, everything, append(slices.Clone(told.Set), "values.pilot.env.E=4")},
		{"a setting again", Charts{Set: []string{"values.pilot.env.D=5"}}, Given{}, without("--set values.pilot.env.D"), []string{told.Set[1], told.Set[2], "values.pilot.env.D=5"}},
		{"what is above a setting", Charts{Set: []string{"values.pilot=x"}}, Given{}, without("--set values.pilot."), []string{told.Set[1], told.Set[2], "values.pilot=x"}},
		{"an element of a list", Charts{Set: []string{"values.revisionTags[0]=c"}}, Given{}, everything, append(slices.Clone(told.Set), "values.revisionTags[0]=c")},
		{"a flag for a setting", Charts{}, Given{Paths: []string{"values.global.network"}}, without("--set values.global.network"), told.Set[:2]},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			record, err := told.Record()
			if err != nil {
				t.Fatal(err)
			}
			charts, kept, err := test.run.Keep(record, test.given)
			if err != nil {
				t.Fatal(err)
			}
			if !slices.Equal(kept, test.kept) {
				t.Errorf("it keeps\n%q, want\n%q", kept, test.kept)
			}
			if !slices.Equal(charts.Set, test.set) {
				t.Errorf("the settings are %q, want %q", charts.Set, test.set)
			}
			again, err := charts.Record()
			if err != nil {
				t.Fatal(err)
			}
			if same := maps.Equal(again, record); same != (test.name == "nothing" || test.name == "all again") {
				t.Errorf("the record is now %q", again)
			}
			if more, still, err := (Charts{}).Keep(again, Given{}); err != nil {
				t.Error(err)
			} else if last, err := more.Record(); err != nil || !maps.Equal(last, again) {
				t.Errorf("a run that is told nothing keeps %q and records %q, %v", still, last, err)
			}
		})
	}
}

// What is kept is what the objects are made of.
func TestKeptIsRendered(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "mine.yaml")
	write(t, file, "kind: IstioOperator\nspec: {meshConfig: {trustDomain: shop.example}, values: {pilot: {env: {MINE: \"1\"}}}}\n")
	told := Charts{Files: []string{file}, Set: []string{"values.pilot.env.OURS=2"}, Tag: "mine"}
	record, err := told.Record()
	if err != nil {
		t.Fatal(err)
	}
	charts, _, err := Charts{}.Keep(record, Given{})
	if err != nil {
		t.Fatal(err)
	}
	want, err := told.Primary(primary())
	if err != nil {
		t.Fatal(err)
	}
	got, err := charts.Primary(primary())
	if err != nil {
		t.Fatal(err)
	}
	for i := range want {
		if text(t, got[i].Object) != text(t, want[i].Object) {
			t.Errorf("%s %s is another", want[i].GetKind(), want[i].GetName())
		}
	}
}

func TestNothingToKeep(t *testing.T) {
	t.Parallel()
	record, err := Charts{}.Record()
	if err != nil || len(record) > 0 {
		t.Errorf("the record of the defaults is %q, %v", record, err)
	}
	for _, record := range []map[string]string{nil, {}, {"other": "x"}} {
		if _, kept, err := (Charts{Hub: "x"}).Keep(record, Given{Hub: true}); err != nil || kept != nil {
			t.Errorf("of %q it keeps %q, %v", record, kept, err)
		}
	}
	for key, value := range map[string]string{"overlay.yaml": "[", "set.yaml": "{"} {
		if _, _, err := (Charts{}).Keep(map[string]string{key: value}, Given{}); err == nil || !strings.Contains(err.Error(), "the settings of the last run: "+key) {
			t.Errorf("a broken %s: %v", key, err)
		}
	}
}

// Charts of another release can't be kept, and are not replaced in silence.
func TestKeepManifests(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write(t, filepath.Join(dir, "profiles", "default.yaml"), "spec:\n  tag: 1.28.3\n")
	record, err := Charts{Dir: dir}.Record()
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := (Charts{}).Keep(record, Given{}); err == nil || !strings.Contains(err.Error(), "Istio 1.28.3 (--manifests): give them again, or --manifests= for those of "+builtInRelease) {
		t.Errorf("charts that are not given again: %v", err)
	}
	if _, _, err := (Charts{}).Keep(record, Given{Manifests: true}); err != nil {
		t.Errorf("the built-in charts, by choice: %v", err)
	}
}
