package main

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

const testTag = "v1.2.3"

// testManifest is our template, filled in.
func testManifest(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile("../.krew.yaml")
	if err != nil {
		t.Fatal(err)
	}
	made, err := fill(string(text), testTag, func(string) (string, error) { return strings.Repeat("0a", 32), nil })
	if err != nil {
		t.Fatal(err)
	}
	return string(made)
}

func TestFill(t *testing.T) {
	t.Parallel()
	const text = "spec:\n  version: {{ .TagName }}\n  platforms:\n" +
		"  - bin: x\n    {{addURIAndSha \"https://example.com/{{ .TagName }}/x_{{ .TagName }}.tar.gz\" .TagName }}\n"
	made, err := fill(text, "v0.1.0", func(name string) (string, error) { return "sum-of-" + name, nil })
	if err != nil {
		t.Fatal(err)
	}
	const want = "spec:\n  version: v0.1.0\n  platforms:\n" +
		"  - bin: x\n    uri: https://example.com/v0.1.0/x_v0.1.0.tar.gz\n    sha256: sum-of-x_v0.1.0.tar.gz\n"
	if string(made) != want {
		t.Errorf("filled in:\n%s\nwant:\n%s", made, want)
	}

	for text, want := range map[string]string{
		"{{ .Tag }}":  "can't evaluate field Tag",
		"{{ .TagName": "unclosed action",
		`{{ addURIAndSha "{{ .No }}" .TagName }}`:      "can't evaluate field No",
		`{{ addURIAndSha "https://x/none" .TagName }}`: "the sum of https://x/none: file does not exist",
	} {
		_, err := fill(text, "v0.1.0", func(string) (string, error) { return "", os.ErrNotExist })
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", text, err, want)
		}
	}
}

// krewValidator is krew's own check of a manifest's form, without the installation, which downloads.
func krewValidator(t *testing.T) func(file string) error {
	t.Helper()
	program := tool(t, "validate-krew-manifest")
	return func(file string) error {
		out, err := exec.CommandContext(t.Context(), program, "-skip-install", "-manifest", file).CombinedOutput()
		if err != nil {
			return errors.New(string(out))
		}
		return nil
	}
}

// tool is the path of one of the programs that tools/go.mod pins.
func tool(t *testing.T, name string) string {
	t.Helper()
	command := exec.CommandContext(t.Context(), "go", "tool", "-modfile=tools/go.mod", "-n", name)
	command.Dir = ".."
	path, err := command.Output()
	if err != nil {
		t.Fatalf("building %s: %v", name, err)
	}
	return strings.TrimSpace(string(path))
}

// Each way to spoil the manifest is seen, by krew's validator or by ours.
func TestBadManifests(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("builds krew's validator")
	}
	validate := krewValidator(t)
	good := testManifest(t)
	judge := func(t *testing.T, text, name string) error {
		t.Helper()
		file := filepath.Join(t.TempDir(), name)
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return errors.Join(validate(file), check([]byte(text), testTag))
	}
	if err := judge(t, good, "mesh.yaml"); err != nil {
		t.Fatalf("our own manifest: %v", err)
	}
	if err := judge(t, good, "other.yaml"); err == nil || !strings.Contains(err.Error(), `should be named "other"`) {
		t.Errorf("in a file of another name: %v", err)
	}
	if err := judge(t, good, "mesh.yml"); err == nil || !strings.Contains(err.Error(), "expected manifest extension") {
		t.Errorf("in a file of another kind: %v", err)
	}

	_, list, _ := strings.Cut(good, "  platforms:\n")
	list = "  platforms:\n" + list
	const linux = "        os: linux\n        arch: amd64\n"
	sum := "sha256: " + strings.Repeat("0a", 32)
	uri := home + "/releases/download/" + testTag + "/kubectl-mesh_" + testTag + "_linux_amd64.tar.gz"
	for _, test := range []struct{ name, old, new, want string }{
		{"no YAML", "kind: Plugin", "kind: [Plugin", "yaml"},
		{"API version", "v1alpha2", "v1alpha3", "not supported in this version of krew"},
		{"kind", "kind: Plugin", "kind: Plugins", `only "Plugin" is supported`},
		{"no name", "  name: mesh", "  name: \"\"", "the plugin name"},
		{"unsafe name", "  name: mesh", "  name: ../mesh", "the plugin name"},
		{"another name", "  name: mesh", "  name: mash", `should be named "mesh"`},
		{"unknown field", "spec:", "spec:\n  licence: Apache-2.0", `unknown field "licence"`},
		{"field twice", "kind: Plugin", "kind: Plugin\nkind: Plugin", "already set"},
		{"no version", "  version: v1.2.3\n", "", "should have a version"},
		{"version without v", "version: v1.2.3", "version: 1.2.3", "failed to parse plugin version"},
		{"no semantic version", "version: v1.2.3", "version: v1.2", "failed to parse plugin version"},
		{"another version", "version: v1.2.3", "version: v1.2.4", "the release is v1.2.3"},
		{"no homepage", "  homepage: " + home + "\n", "", "spec.homepage"},
		{"no summary", "shortDescription: Build and check a multicluster Istio mesh", "shortDescription: \"\"",
			"should have a short description"},
		{"summary of two lines", "shortDescription: Build", "shortDescription: |-\n    Build\n   ", "line breaks in short description"},
		{"long summary", "shortDescription: Build", "shortDescription: Build and install and", "more than 50"},
		{"sentence as a summary", "Istio mesh\n", "Istio mesh.\n", "full stop"},
		{"wide description", "    primary, has the control plane", "    primary, has the control plane" + strings.Repeat(" word", 10),
			"more than 80"},
		{"flags", "works on the mesh", "works on the mesh --context east", "lists flags (--context)"},
		{"no platforms", list, "", "should have a platform"},
		{"platform missing", linux, "        os: linux\n        arch: arm\n", "spec.platforms is for"},
		{"overlapping platforms", linux, "        os: linux\n", "overlapping selectors"},
		{"platform that krew has not", linux, "        os: plan9\n        arch: amd64\n", "doesn't match any supported platforms"},
		{"selector by something else", linux, linux + "        libc: musl\n", `key "libc" not supported`},
		{"no selector", "selector:\n      matchLabels:\n" + linux, "selector: {}\n", "empty selector"},
		{"no address", "uri: " + uri, "uri: \"\"", "`uri` has to be set"},
		{"address of another release", uri, strings.ReplaceAll(uri, testTag, "v1.2.2"), "linux/amd64: uri is"},
		{"no sum", sum, "sha256: \"\"", "`sha256` sum has to be set"},
		{"sum in upper case", sum, "sha256: " + strings.ToUpper(sum[8:]), "must match pattern"},
		{"short sum", sum, sum[:len(sum)-1], "must match pattern"},
		{"no program", "    bin: kubectl-mesh\n", "", "`bin` has to be set"},
		{"another program", "bin: kubectl-mesh\n", "bin: mesh\n", "bin is \"mesh\""},
		{"program for Windows", "bin: kubectl-mesh.exe", "bin: kubectl-mesh", "want kubectl-mesh.exe"},
		{"empty list of files", "    bin: kubectl-mesh\n", "    bin: kubectl-mesh\n    files: []\n", "unspecified or non-empty"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			if !strings.Contains(good, test.old) {
				t.Fatalf("the manifest has no %q to spoil", test.old)
			}
			err := judge(t, strings.Replace(good, test.old, test.new, 1), "mesh.yaml")
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("it was not seen: %v\nwant: %s", err, test.want)
			}
		})
	}
}

func TestRun(t *testing.T) {
	t.Parallel()
	dist := t.TempDir()
	if err := run([]string{"-dist", dist, "-template", "../.krew.yaml"}); err == nil || !strings.Contains(err.Error(), "-tag") {
		t.Errorf("without a tag: %v", err)
	}
	args := []string{"-dist", dist, "-template", "../.krew.yaml", "-tag", testTag}
	if err := run(args); !errors.Is(err, os.ErrNotExist) || !strings.Contains(err.Error(), "linux_amd64.tar.gz") {
		t.Errorf("without archives: %v", err)
	}
	for _, name := range platforms {
		if err := os.WriteFile(filepath.Join(dist, archiveName(testTag, name)), []byte(name), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := run(args); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(dist, "krew", "mesh.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	// echo -n linux/amd64 | sha256sum
	if want := "baf0239e48ff4c47ebac3ba02b5cf1506b69cd5a0c0d0c825a53ba65976fb942"; !strings.Contains(string(text), want) {
		t.Errorf("the sum of linux/amd64 is not %s:\n%s", want, text)
	}
}
