//go:build unix

package main

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
)

// Archives made here, of the program that `make build` made and of scripts for the other platforms: so `make test` sees
// what would break an installation, without the time that building a release takes.
func TestPretendedRelease(t *testing.T) {
	program := os.Getenv("KUBECTL_MESH_BIN")
	if testing.Short() || program == "" {
		t.Skip("needs what is built: make test")
	}
	own, err := os.ReadFile(program)
	if err != nil {
		t.Fatal(err)
	}
	dist := t.TempDir()
	for _, name := range platforms {
		content := []byte("#!/bin/sh\n")
		if name == host {
			content = own
		}
		pack(t, filepath.Join(dist, archiveName(testTag, name)), map[string][]byte{binary(name): content, "LICENSE": []byte("Apache-2.0\n")})
	}
	if err := run([]string{"-dist", dist, "-template", "../.krew.yaml", "-tag", testTag}); err != nil {
		t.Fatal(err)
	}
	proveRelease(t, dist)
}

// host is this machine's platform.
const host = runtime.GOOS + "/" + runtime.GOARCH

func pack(t *testing.T, file string, contents map[string][]byte) {
	t.Helper()
	var packed bytes.Buffer
	compressor, err := gzip.NewWriterLevel(&packed, gzip.BestSpeed)
	if err != nil {
		t.Fatal(err)
	}
	writer := tar.NewWriter(compressor)
	for name, content := range contents {
		err := writer.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: name, Mode: 0o755, Size: int64(len(content))})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := writer.Write(content); err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(writer.Close(), compressor.Close(), os.WriteFile(file, packed.Bytes(), 0o600)); err != nil {
		t.Fatal(err)
	}
}

// proveRelease is what a release has to stand, wherever its archives come from.
func proveRelease(t *testing.T, dist string) {
	t.Helper()
	file := filepath.Join(dist, "krew", pluginName+".yaml")
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	m, err := parse(text)
	if err != nil {
		t.Fatal(err)
	}
	tag := m.Spec.Version
	if err := errors.Join(check(text, tag), krewValidator(t)(file)); err != nil {
		t.Fatal(err)
	}
	kubectl := labProgram(t, "kubernetes", "kube")
	krew := tool(t, "krew")

	for _, p := range m.Spec.Platforms {
		t.Run("krew installs "+p.name(), func(t *testing.T) {
			archive := filepath.Join(dist, archiveName(tag, p.name()))
			proveContents(t, archive, p.Bin)
			user := newAccount(t)
			user.has(t, krew, "krew")
			// krew compares the sum, unpacks, and links the program. What the validator does about a license is here, too.
			user.env = append(user.env, "KREW_OS="+p.Selector.MatchLabels.OS, "KREW_ARCH="+p.Selector.MatchLabels.Arch)
			user.run(t, "krew", "install", "--manifest", user.copied(t, file), "--archive", user.copied(t, archive))
			for _, name := range []string{p.Bin, "LICENSE"} {
				if _, err := os.Stat(filepath.Join(user.home, ".krew", "store", pluginName, tag, name)); err != nil {
					t.Errorf("after the installation: %v", err)
				}
			}
		})
	}

	t.Run("a custom index", func(t *testing.T) {
		// As plugins/README.md says, with a folder for GitHub's repository, and this server for its releases.
		server := httptest.NewServer(http.StripPrefix("/download/"+tag+"/", http.FileServer(http.Dir(dist))))
		defer server.Close()
		user := newAccount(t)
		user.has(t, kubectl, "kubectl")
		user.has(t, krew, "kubectl-krew")
		index := filepath.Join(user.home, "index")
		user.run(t, "git", "init", "-q", index)
		user.run(t, "mkdir", filepath.Join(index, "plugins"))
		served := strings.ReplaceAll(string(text), home+"/releases", server.URL)
		if err := os.WriteFile(filepath.Join(index, "plugins", pluginName+".yaml"), []byte(served), 0o644); err != nil {
			t.Fatal(err)
		}
		user.run(t, "git", "-C", index, "add", "-A")
		user.run(t, "git", "-C", index, "-c", "user.name=x", "-c", "user.email=x@example.com", "commit", "-qm", "index")
		user.run(t, "kubectl", "krew", "index", "add", "mesh", index)
		user.run(t, "kubectl", "krew", "install", "mesh/mesh")

		user = user.withPath(filepath.Join(user.home, ".krew", "bin"))
		user.has(t, kubectl, "kubectl")
		user.provePlugin(t)
		user.proveCompletion(t, filepath.Join(user.home, ".krew", "bin"))
	})

	t.Run("an account without Go or krew", func(t *testing.T) {
		user := newAccount(t)
		archive := filepath.Join(dist, archiveName(tag, host))
		user.run(t, "tar", "-xzf", user.copied(t, archive), "-C", user.bin)
		user = user.withPath(user.bin)
		user.has(t, kubectl, "kubectl")
		user.provePlugin(t)
	})
}

// proveContents holds an archive to be the program and the license and nothing else, so that unpacking it is safe.
func proveContents(t *testing.T, archive, bin string) {
	t.Helper()
	file, err := os.Open(archive)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	unzipped, err := gzip.NewReader(file)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for reader := tar.NewReader(unzipped); ; {
		header, err := reader.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatalf("%s: %v", archive, err)
		}
		names = append(names, header.Name)
		if header.Typeflag != tar.TypeReg {
			t.Errorf("%s: %s is no plain file", archive, header.Name)
		}
		if header.Name == bin && header.Mode != 0o755 {
			t.Errorf("%s: %s has the mode %o", archive, header.Name, header.Mode)
		}
	}
	if want := []string{"LICENSE", bin}; !slices.Equal(slices.Sorted(slices.Values(names)), want) {
		t.Errorf("%s has %v, want %v", archive, names, want)
	}
}

// labProgram is a program that the lab has been built of.
func labProgram(t *testing.T, thing, name string) string {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(os.Getenv("KUBECTL_MESH_CACHE"), "lab", thing+"-*", name))
	if err != nil || len(found) == 0 {
		t.Fatalf("there is no %s in the lab's cache: make lab-build", name)
	}
	return found[len(found)-1]
}
