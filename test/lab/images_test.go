package lab

import (
	"archive/tar"
	"errors"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

func writeProgram(t *testing.T, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "program")
	if err := os.WriteFile(path, []byte(content), 0o755); err != nil {
		t.Fatal(err)
	}
	return path
}

func buildImage(t *testing.T, of image) v1.Image {
	t.Helper()
	built, err := of.build()
	if err != nil {
		t.Fatal(err)
	}
	return built
}

func digest(t *testing.T, of v1.Image) string {
	t.Helper()
	hash, err := of.Digest()
	if err != nil {
		t.Fatal(err)
	}
	return hash.String()
}

func TestImageHoldsItsFiles(t *testing.T) {
	program := writeProgram(t, "a program")
	built := buildImage(t, image{
		name: "docker.io/library/example:1", entrypoint: []string{"/bin/a"}, user: "1337:1337", env: []string{"A=b"},
		files: map[string]imageFile{
			"/bin/a": {from: program}, "/bin/b": {from: program}, "/etc/passwd": {text: "root"}, "/tmp/.keep": {},
		},
	})
	layers, err := built.Layers()
	if err != nil || len(layers) != 1 {
		t.Fatalf("%d layers (%v); want 1", len(layers), err)
	}
	layer, err := layers[0].Uncompressed()
	if err != nil {
		t.Fatal(err)
	}
	var found []string
	for archive := tar.NewReader(layer); ; {
		header, err := archive.Next()
		if errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		content, err := io.ReadAll(archive)
		if err != nil {
			t.Fatal(err)
		}
		found = append(found, strings.TrimSpace(strings.Join([]string{header.FileInfo().Mode().String(), header.Name, string(content), header.Linkname}, " ")))
	}
	want := []string{
		"drwxr-xr-x bin/", "-rwxr-xr-x bin/a a program", "-rwxr-xr-x bin/b  bin/a",
		"drwxr-xr-x etc/", "-rwxr-xr-x etc/passwd root",
		"dtrwxrwxrwx tmp/", "-rwxr-xr-x tmp/.keep",
	}
	if !slices.Equal(found, want) {
		t.Errorf("the layer has\n%s\nwant\n%s", strings.Join(found, "\n"), strings.Join(want, "\n"))
	}
	config, err := built.ConfigFile()
	if err != nil {
		t.Fatal(err)
	}
	if c := config.Config; !slices.Equal(c.Entrypoint, []string{"/bin/a"}) || c.User != "1337:1337" || !slices.Contains(c.Env, "A=b") {
		t.Errorf("the configuration is %+v", c)
	}
}

func TestImagesAreTheSameWhereverTheirFilesLie(t *testing.T) {
	of := func(content string) v1.Image {
		return buildImage(t, image{files: map[string]imageFile{"/a": {from: writeProgram(t, content)}}})
	}
	one, again, two := digest(t, of("one")), digest(t, of("one")), digest(t, of("two"))
	if one != again {
		t.Error("of the same contents there are two images")
	}
	if one == two {
		t.Error("two contents make the same image")
	}
}

func TestImagesKeyDependsOnContents(t *testing.T) {
	key := func(images ...image) string {
		of, err := imagesKey(images)
		if err != nil {
			t.Fatal(err)
		}
		return of
	}
	one := image{name: "a", files: map[string]imageFile{"/a": {from: writeProgram(t, "one")}}}
	moved := image{name: "a", files: map[string]imageFile{"/a": {from: writeProgram(t, "one")}}}
	if key(one) != key(moved) {
		t.Error("the key depends on where a file lies")
	}
	for name, other := range map[string]image{
		"another program":    {name: "a", files: map[string]imageFile{"/a": {from: writeProgram(t, "two")}}},
		"another place":      {name: "a", files: map[string]imageFile{"/b": one.files["/a"]}},
		"another name":       {name: "b", files: one.files},
		"another user":       {name: "a", files: one.files, user: "1"},
		"another entrypoint": {name: "a", files: one.files, entrypoint: []string{"/a"}},
	} {
		if key(one) == key(other) {
			t.Errorf("%s makes no other key", name)
		}
	}
}

func TestLayoutsAreAdopted(t *testing.T) {
	cache, own := filepath.Join(t.TempDir(), "cache"), filepath.Join(t.TempDir(), "own")
	textImage := func(name, text string) image {
		return image{name: name, files: map[string]imageFile{"/text": {text: text}}}
	}
	if err := writeImages(own, []image{textImage("mine:1", "mine"), textImage("both:1", "old")}); err != nil {
		t.Fatal(err)
	}
	if err := writeImages(cache, []image{textImage("both:1", "new"), textImage("theirs:1", "theirs")}); err != nil {
		t.Fatal(err)
	}
	if err := adoptImages(cache, own); err != nil {
		t.Fatal(err)
	}
	found := map[string]string{}
	err := eachImage(own, func(name string, of v1.Image) error {
		found[name] = digest(t, of)
		_, err := of.Layers()
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{"mine:1": "mine", "both:1": "new", "theirs:1": "theirs"} {
		if want := digest(t, buildImage(t, textImage(name, text))); found[name] != want {
			t.Errorf("%s is %q; want %q", name, found[name], want)
		}
	}
	if len(found) != 3 {
		t.Errorf("the layout has %v; want three images", found)
	}
}

func TestFullName(t *testing.T) {
	for of, want := range map[string]string{
		"probe":                    "docker.io/library/probe:latest",
		"istio/pilot:1.29.1":       "docker.io/istio/pilot:1.29.1",
		"gcr.io/istio/pilot":       "gcr.io/istio/pilot:latest",
		"localhost:5000/a/b:1":     "localhost:5000/a/b:1",
		"Capitals":                 "",
		"a@sha256:" + keyOf() + "": "",
		"a:b@sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855": "docker.io/library/a:b",
	} {
		named, err := fullName(of)
		if want == "" {
			if err == nil {
				t.Errorf("%s is taken as %s", of, named)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", of, err)
		} else if got := named.Name() + ":" + named.Tag(); got != want {
			t.Errorf("%s means %s; want %s", of, got, want)
		}
	}
}

func TestOnlyStaticProgramsArePushed(t *testing.T) {
	if err := checkStatic(writeProgram(t, "#!/bin/sh\n")); err == nil {
		t.Error("a script is taken for a program")
	}
	if err := checkStatic("/bin/sh"); err == nil || !strings.Contains(err.Error(), "CGO_ENABLED=0") {
		t.Errorf("a program with shared libraries: %v; want an error that says how to build it", err)
	}
}

func TestRegistryStandsForEveryRegistry(t *testing.T) {
	dir := t.TempDir()
	if err := writeImages(dir, []image{{name: "docker.io/istio/pilot:1"}}); err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(newRegistry(dir, log.New(io.Discard, "", 0)))
	defer server.Close()
	address := strings.TrimPrefix(server.URL, "http://")
	err := eachImage(dir, func(name string, of v1.Image) error { return putImage(t.Context(), address, name, of) })
	if err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]int{
		"/v2/istio/pilot/manifests/1?ns=docker.io": http.StatusOK,
		"/v2/istio/pilot/manifests/1?ns=gcr.io":    http.StatusNotFound,
		"/v2/istio/pilot/manifests/2?ns=docker.io": http.StatusNotFound,
		"/v2/docker.io/istio/pilot/manifests/1":    http.StatusOK,
	} {
		response, err := http.Get(server.URL + path)
		if err != nil {
			t.Fatal(err)
		}
		response.Body.Close()
		if response.StatusCode != want {
			t.Errorf("%s is answered %s; want %d", path, response.Status, want)
		}
	}
}
