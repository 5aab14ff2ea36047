package lab

import (
	"archive/tar"
	"bytes"
	"context"
	"crypto/sha256"
	_ "embed" // the key of the images has this file in it
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"github.com/distribution/reference"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/match"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/static"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

const pauseImage = "registry.k8s.io/pause:3.10"

// image is what an image is made of.
type image struct {
	name       string
	entrypoint []string
	env        []string
	user       string
	files      map[string]imageFile // by their path in the image
}

// imageFile is a file of the machine's, or a text.
type imageFile struct {
	from string
	text string
}

// imagesFrom returns the lab's images. The folders are those of what was built.
func imagesFrom(ctx context.Context, folders map[string]string) ([]image, error) {
	hello := imageFile{from: filepath.Join(folders["small"], "hello")}
	images := []image{
		{
			name:       pauseImage,
			entrypoint: []string{"/pause"},
			files:      map[string]imageFile{"/pause": {from: filepath.Join(folders["small"], "pause")}},
		},
		{
			name:       "docker.io/istio/pilot:" + istioVersion,
			entrypoint: []string{"/usr/local/bin/pilot-discovery"},
			user:       "1337:1337",
			files: map[string]imageFile{
				"/usr/local/bin/pilot-discovery": {from: filepath.Join(folders["istio"], "pilot-discovery")},
			},
		},
		// Named as in Istio's samples, so that these run as they are.
		{
			name:       "docker.io/curlimages/curl:8.16.0",
			entrypoint: []string{"/usr/bin/curl"},
			files:      map[string]imageFile{"/usr/bin/curl": hello, "/bin/sleep": hello, "/usr/local/bin/hello": hello},
		},
	}
	for _, version := range []string{"v1", "v2"} {
		images = append(images, image{
			name:       "docker.io/istio/examples-helloworld-" + version + ":1.0",
			entrypoint: []string{"/usr/local/bin/hello"},
			env:        []string{"SERVICE_VERSION=" + version},
			files:      map[string]imageFile{"/usr/local/bin/hello": hello},
		})
	}
	proxy, err := proxyImage(ctx, folders)
	return append(images, proxy), err
}

// proxyImage has Envoy, and what istio-init redirects traffic with: the machine's iptables.
func proxyImage(ctx context.Context, folders map[string]string) (image, error) {
	proxy := image{
		name:       "docker.io/istio/proxyv2:" + istioVersion,
		entrypoint: []string{"/usr/local/bin/pilot-agent"},
		user:       "1337:1337",
		files: map[string]imageFile{
			"/usr/local/bin/pilot-agent":        {from: filepath.Join(folders["istio"], "pilot-agent")},
			"/usr/local/bin/envoy":              {from: filepath.Join(folders["envoy"], "envoy")},
			"/var/lib/istio/envoy/" + bootstrap: {from: filepath.Join(folders["istio"], bootstrap)},
			"/etc/passwd":                       {text: "root:x:0:0::/:/none\nistio-proxy:x:1337:1337::/:/none\n"},
			"/tmp/.keep":                        {},
		},
	}
	iptables, err := findIptables()
	if err != nil {
		return proxy, err
	}
	for _, family := range []string{"iptables", "ip6tables"} {
		for _, variant := range []string{"", "-nft"} {
			for _, action := range []string{"", "-save", "-restore"} {
				proxy.files["/usr/sbin/"+family+variant+action] = imageFile{from: iptables}
			}
		}
	}
	programs := []string{iptables, filepath.Join(folders["envoy"], "envoy")}
	libraries := map[string]bool{}
	for _, program := range programs {
		if err := addLibraries(ctx, libraries, program); err != nil {
			return proxy, err
		}
	}
	// iptables loads its extensions from the folder beside its library.
	for library := range libraries {
		if strings.HasPrefix(filepath.Base(library), "libxtables.so") {
			library, err := filepath.EvalSymlinks(library)
			if err != nil {
				return proxy, err
			}
			extensions, err := filepath.Glob(filepath.Join(filepath.Dir(library), "xtables", "*.so"))
			if err != nil {
				return proxy, err
			}
			for _, extension := range extensions {
				proxy.files[extension] = imageFile{from: extension}
			}
		}
		proxy.files[library] = imageFile{from: library}
	}
	return proxy, nil
}

func findIptables() (string, error) {
	for dir := range strings.SplitSeq(searchPath(), ":") {
		for _, program := range []string{"xtables-nft-multi", "iptables-nft"} {
			if found, err := filepath.EvalSymlinks(filepath.Join(dir, program)); err == nil {
				return found, nil
			}
		}
	}
	return "", errors.New("iptables (the nft variant) is missing: apt-get install iptables")
}

// addLibraries adds the shared libraries that a program loads, and the loader.
func addLibraries(ctx context.Context, to map[string]bool, program string) error {
	out, err := output(ctx, "", "ldd", program)
	if err != nil {
		return err
	}
	for word := range strings.FieldsSeq(out) {
		if strings.HasPrefix(word, "/") && !strings.HasSuffix(word, ":") {
			to[word] = true
		}
	}
	return nil
}

// writeImages writes images into a layout. Their layers are not compressed, since they never travel far.
func writeImages(dir string, images []image) error {
	if err := makeLayout(dir); err != nil {
		return err
	}
	for _, each := range images {
		built, err := each.build()
		if err == nil {
			err = nameImage(dir, each.name, built)
		}
		if err != nil {
			return fmt.Errorf("image %s: %w", each.name, err)
		}
	}
	return nil
}

// imageName is the annotation that names an image in a layout.
const imageName = "org.opencontainers.image.ref.name"

// build makes the image: of the same contents always the same image.
func (i image) build() (v1.Image, error) {
	layer, err := i.layer()
	if err != nil {
		return nil, err
	}
	base := mutate.MediaType(empty.Image, types.OCIManifestSchema1)
	built, err := mutate.AppendLayers(mutate.ConfigMediaType(base, types.OCIConfigJSON), static.NewLayer(layer, types.OCIUncompressedLayer))
	if err != nil {
		return nil, err
	}
	config, err := built.ConfigFile()
	if err != nil {
		return nil, err
	}
	config = config.DeepCopy()
	config.OS, config.Architecture = "linux", runtime.GOARCH
	config.Config = v1.Config{
		Entrypoint: i.entrypoint,
		Env:        append([]string{"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"}, i.env...),
		User:       i.user,
	}
	return mutate.ConfigFile(built, config)
}

// layer returns the image's files as an archive, in order and without times.
func (i image) layer() ([]byte, error) {
	paths := make([]string, 0, len(i.files))
	for file := range i.files {
		paths = append(paths, file)
	}
	slices.Sort(paths)
	var archive bytes.Buffer
	writer := tar.NewWriter(&archive)
	folders := map[string]bool{"/": true}
	links := map[string]string{} // files that are there already, under another name
	for _, file := range paths {
		if err := writeFolders(writer, folders, path.Dir(file)); err != nil {
			return nil, err
		}
		of := i.files[file]
		header := &tar.Header{Name: file[1:], Mode: 0o755, Typeflag: tar.TypeReg, Format: tar.FormatPAX}
		if first, ok := links[of.from]; ok && of.from != "" {
			header.Typeflag, header.Linkname = tar.TypeLink, first
			if err := writer.WriteHeader(header); err != nil {
				return nil, err
			}
			continue
		}
		links[of.from] = header.Name
		content := []byte(of.text)
		if of.from != "" {
			var err error
			if content, err = os.ReadFile(of.from); err != nil {
				return nil, err
			}
		}
		header.Size = int64(len(content))
		if err := writer.WriteHeader(header); err != nil {
			return nil, err
		}
		if _, err := writer.Write(content); err != nil {
			return nil, err
		}
	}
	return archive.Bytes(), writer.Close()
}

func writeFolders(to *tar.Writer, done map[string]bool, folder string) error {
	if done[folder] {
		return nil
	}
	done[folder] = true
	if err := writeFolders(to, done, path.Dir(folder)); err != nil {
		return err
	}
	mode := int64(0o755)
	if folder == "/tmp" {
		mode = 0o1777
	}
	return to.WriteHeader(&tar.Header{Name: folder[1:] + "/", Mode: mode, Typeflag: tar.TypeDir, Format: tar.FormatPAX})
}

//go:embed images.go
var imagesSource string

// imagesKey names the images after what is in them: the files that the cache keeps are known by their folders' names, and
// those of the machine by what they hold.
func imagesKey(images []image) (string, error) {
	parts := []string{imagesSource}
	sums := map[string]string{}
	for _, each := range images {
		parts = append(parts, each.name, each.user, fmt.Sprint(each.entrypoint, each.env))
		var files []string
		for file, of := range each.files {
			if of.from == "" {
				files = append(files, file+"="+of.text)
				continue
			}
			if sums[of.from] == "" {
				sum, err := contentKey(of.from)
				if err != nil {
					return "", err
				}
				sums[of.from] = sum
			}
			files = append(files, file+"<"+sums[of.from])
		}
		slices.Sort(files)
		parts = append(parts, files...)
	}
	return keyOf(parts...), nil
}

func contentKey(file string) (string, error) {
	if folder := filepath.Base(filepath.Dir(file)); cached(folder) {
		return folder + "/" + filepath.Base(file), nil
	}
	opened, err := os.Open(file)
	if err != nil {
		return "", err
	}
	defer opened.Close()
	sum := sha256.New()
	if _, err := io.Copy(sum, opened); err != nil {
		return "", err
	}
	return fmt.Sprintf("%x", sum.Sum(nil)), nil
}

// cached tells the name of a folder of the cache, which ends in a key.
func cached(folder string) bool {
	_, key, found := strings.Cut(folder, "-")
	return found && len(key) == len(keyOf())
}

// fullName returns an image's name with the registry and the tag that are meant if none is written.
func fullName(of string) (reference.NamedTagged, error) {
	named, err := reference.ParseNormalizedNamed(of)
	if err != nil {
		return nil, fmt.Errorf("image %q: %w", of, err)
	}
	tagged, ok := reference.TagNameOnly(named).(reference.NamedTagged)
	if !ok {
		return nil, fmt.Errorf("image %q: a digest cannot be chosen; give it a tag", of)
	}
	return tagged, nil
}

// adoptImages adds the images of a layout to those of another, by links where the file system allows it.
func adoptImages(from, to string) error {
	if err := makeLayout(to); err != nil {
		return err
	}
	if err := linkTree(filepath.Join(from, "blobs"), filepath.Join(to, "blobs")); err != nil {
		return err
	}
	return eachImage(from, func(name string, image v1.Image) error { return nameImage(to, name, image) })
}

// makeLayout makes an empty layout, unless there is one.
func makeLayout(dir string) error {
	if _, err := layout.FromPath(dir); err == nil {
		return nil
	}
	_, err := layout.Write(dir, empty.Index)
	return err
}

// nameImage writes an image into a layout, in place of the one with that name.
func nameImage(dir, name string, image v1.Image) error {
	return layout.Path(dir).ReplaceImage(image, match.Annotation(imageName, name),
		layout.WithAnnotations(map[string]string{imageName: name}))
}

// eachImage calls do with every image of a layout.
func eachImage(dir string, do func(name string, image v1.Image) error) error {
	index, err := layout.ImageIndexFromPath(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	} else if err != nil {
		return err
	}
	manifest, err := index.IndexManifest()
	if err != nil {
		return err
	}
	for _, each := range manifest.Manifests {
		found, err := index.Image(each.Digest)
		if err != nil {
			return err
		}
		if err := do(each.Annotations[imageName], found); err != nil {
			return fmt.Errorf("image %s: %w", each.Annotations[imageName], err)
		}
	}
	return nil
}
