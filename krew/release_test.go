//go:build unix

package main

import (
	"archive/tar"
	"bufio"
	"compress/gzip"
	"debug/buildinfo"
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"testing"
)

// released is a release that `make release` has made.
type released struct {
	folder, tag string
}

// findRelease skips the test where there is none.
func findRelease(t *testing.T) released {
	t.Helper()
	folder := os.Getenv("RELEASE_DIST")
	if folder == "" {
		t.Skip("needs the archives of a release: make release-check")
	}
	text, err := os.ReadFile(filepath.Join(folder, "krew", pluginName+".yaml"))
	if err != nil {
		t.Fatal(err)
	}
	m, err := parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return released{folder, m.Spec.Version}
}

func TestRelease(t *testing.T) {
	proveRelease(t, findRelease(t).folder)
}

// sums are those of the release's list, by file.
func (r released) sums(t *testing.T) map[string]string {
	t.Helper()
	file, err := os.Open(filepath.Join(r.folder, "kubectl-mesh_"+r.tag+"_checksums.txt"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	sums := map[string]string{}
	for lines := bufio.NewScanner(file); lines.Scan(); {
		sum, name, found := strings.Cut(lines.Text(), "  ")
		if !found {
			t.Fatalf("%s has a line that is not sha256sum's: %q", file.Name(), lines.Text())
		}
		sums[name] = sum
	}
	return sums
}

// The list has each archive and its bill of materials, and nothing else.
func TestSums(t *testing.T) {
	r := findRelease(t)
	sums := r.sums(t)
	for _, name := range platforms {
		archive := archiveName(r.tag, name)
		for _, name := range []string{archive, strings.TrimSuffix(archive, ".tar.gz") + ".cdx.json"} {
			sum, err := sumIn(r.folder)(name)
			if err != nil || sums[name] != sum {
				t.Errorf("%s: the list says %q, and it is %q (%v)", name, sums[name], sum, err)
			}
			delete(sums, name)
		}
	}
	if len(sums) > 0 {
		t.Errorf("the list has more: %v", sums)
	}
}

// The bill of materials is of the program in the archive: the same release, and Istio among what it is made of.
func TestBillsOfMaterials(t *testing.T) {
	r := findRelease(t)
	for _, name := range platforms {
		file := strings.TrimSuffix(archiveName(r.tag, name), ".tar.gz") + ".cdx.json"
		text, err := os.ReadFile(filepath.Join(r.folder, file))
		if err != nil {
			t.Fatal(err)
		}
		var bill struct {
			Format   string `json:"bomFormat"`
			Metadata struct {
				Component struct{ Name, Version string }
			}
			Components []struct{ Name, Version string }
		}
		if err := json.Unmarshal(text, &bill); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		if main := bill.Metadata.Component; bill.Format != "CycloneDX" || main.Version != r.tag {
			t.Errorf("%s is a %s of %s", file, bill.Format, main)
		}
		versions := map[string]string{}
		for _, component := range bill.Components {
			versions[component.Name] = component.Version
		}
		program := r.unpack(t, name)
		info, err := buildinfo.ReadFile(program)
		if err != nil {
			t.Fatal(err)
		}
		for _, module := range info.Deps {
			if versions[module.Path] != module.Version {
				t.Errorf("%s has %s %q, and the program %s", file, module.Path, versions[module.Path], module.Version)
			}
		}
	}
}

// unpack returns the path of a platform's program.
func (r released) unpack(t *testing.T, name string) string {
	t.Helper()
	archive, err := os.Open(filepath.Join(r.folder, archiveName(r.tag, name)))
	if err != nil {
		t.Fatal(err)
	}
	defer archive.Close()
	unzipped, err := gzip.NewReader(archive)
	if err != nil {
		t.Fatal(err)
	}
	reader := tar.NewReader(unzipped)
	for {
		header, err := reader.Next()
		if err != nil {
			t.Fatalf("%s has no program: %v", archive.Name(), err)
		}
		if header.Name == binary(name) {
			break
		}
	}
	program, err := os.OpenFile(filepath.Join(t.TempDir(), binary(name)), os.O_WRONLY|os.O_CREATE, 0o700)
	if err != nil {
		t.Fatal(err)
	}
	_, err = io.Copy(program, reader)
	if err := errors.Join(err, program.Close()); err != nil {
		t.Fatal(err)
	}
	return program.Name()
}

// What a user downloads stays below 35 MB, and the program is no larger than istioctl, built of the same Istio and
// stripped in the same way.
func TestSize(t *testing.T) {
	r := findRelease(t)
	const limit = 35_000_000
	for _, name := range platforms {
		if size := sizeOf(t, filepath.Join(r.folder, archiveName(r.tag, name))); size >= limit {
			t.Errorf("%s has %d bytes, not less than %d", archiveName(r.tag, name), size, limit)
		}
	}
	ours, theirs := r.unpack(t, host), labProgram(t, "istio", "istioctl")
	for _, program := range []string{ours, theirs} {
		info, err := buildinfo.ReadFile(program)
		if err != nil {
			t.Fatal(err)
		}
		if !slices.ContainsFunc(info.Settings, stripped) {
			t.Errorf("%s is not stripped, so that the comparison is not fair", program)
		}
	}
	t.Logf("%s: ours has %d bytes, istioctl %d", host, sizeOf(t, ours), sizeOf(t, theirs))
	if sizeOf(t, ours) > sizeOf(t, theirs) {
		t.Errorf("the program has %d bytes, more than istioctl's %d", sizeOf(t, ours), sizeOf(t, theirs))
	}
}

// stripped is true for the linker flags of a program without symbols. -trimpath takes them out of the build's record, and
// the record that a program has been built with it stands for our own.
func stripped(setting debug.BuildSetting) bool {
	return setting.Key == "-ldflags" && strings.Contains(setting.Value, "-s -w") || setting.Key == "-trimpath"
}

func sizeOf(t *testing.T, file string) int64 {
	t.Helper()
	info, err := os.Stat(file)
	if err != nil {
		t.Fatal(err)
	}
	return info.Size()
}

// The program says which release it is, and of which commit.
func TestStamps(t *testing.T) {
	r := findRelease(t)
	commit, err := exec.CommandContext(t.Context(), "git", "rev-parse", "HEAD").Output()
	if err != nil {
		t.Fatal(err)
	}
	said, err := exec.CommandContext(t.Context(), r.unpack(t, host), "version").Output()
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"kubectl-mesh " + r.tag + " ", strings.TrimSpace(string(commit)), runtime.Version()} {
		if !strings.Contains(string(said), want) {
			t.Errorf("the program does not name %s:\n%s", want, said)
		}
	}
}

// A second release of the same commit, in another folder, has the same bytes.
func TestSameBytes(t *testing.T) {
	r := findRelease(t)
	if changes, err := exec.CommandContext(t.Context(), "git", "status", "--porcelain").Output(); err != nil || len(changes) > 0 {
		t.Skipf("only what is committed can be released twice: %v\n%s", err, changes)
	}
	folder := t.TempDir()
	for _, command := range []*exec.Cmd{
		exec.CommandContext(t.Context(), "git", "clone", "-q", "..", folder),
		exec.CommandContext(t.Context(), "make", "-C", folder, "release", "VERSION="+r.tag),
	} {
		if out, err := command.CombinedOutput(); err != nil {
			t.Fatalf("%s: %v\n%s", command, err, out)
		}
	}
	again := released{filepath.Join(folder, "dist"), r.tag}.sums(t)
	for name, sum := range r.sums(t) {
		if again[name] != sum {
			t.Errorf("%s has the sum %s, and made again %s", name, sum, again[name])
		}
	}
}
