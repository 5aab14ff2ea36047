package docs

import (
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"k8s.io/client-go/tools/clientcmd"

	"github.com/kubectl-mesh/kubectl-mesh/test/labtest"
)

func TestMain(m *testing.M) { os.Exit(labtest.Main(m)) }

// followed are the pages with commands. Those of one list continue on the same clusters, which are bare before the first.
func followed() [][]string {
	return [][]string{
		{"README.md", "docs/troubleshooting.md", "docs/kubectl.md"},
		{"docs/getting-started.md"},
		{
			"docs/guide/README.md", "docs/guide/install-primary.md", "docs/guide/expose-istiod.md", "docs/guide/attach-remote.md",
			"docs/guide/verify.md", "docs/guide/status.md", "docs/guide/run-again.md", "docs/guide/dry-run.md",
			"docs/guide/several-remotes.md", "docs/guide/uninstall.md",
		},
		{"docs/security.md"},
	}
}

// Each page's commands run from its top to its end.
func TestPages(t *testing.T) {
	for _, pages := range followed() {
		t.Run(pages[0], func(t *testing.T) {
			r := newReader(t)
			for _, name := range pages {
				for _, b := range blocksOf(t, name) {
					at := fmt.Sprintf("%s:%d", name, b.line)
					if b.notRun != "" {
						t.Logf("%s is not run: %s", at, b.notRun)
						continue
					}
					r.follow(t, at, b)
				}
			}
		})
	}
}

// A page that is not in followed has only commands that say why they don't run.
func TestNoPageIsForgotten(t *testing.T) {
	t.Parallel()
	for _, name := range allPages(t) {
		if slices.Contains(slices.Concat(followed()...), name) {
			continue
		}
		for _, b := range blocksOf(t, name) {
			if b.notRun == "" {
				t.Errorf("%s:%d has commands that no test runs: add the page to followed", name, b.line)
			}
		}
	}
}

// root is the repository.
const root = "../.."

// allPages are README and the pages in docs, without those that are made from the commands' help.
func allPages(t *testing.T) []string {
	t.Helper()
	all := []string{"README.md"}
	err := fs.WalkDir(os.DirFS(root), "docs", func(path string, _ fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case path == "docs/cli":
			return fs.SkipDir
		case strings.HasSuffix(path, ".md"):
			all = append(all, path)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func blocksOf(t *testing.T, page string) []block {
	t.Helper()
	blocks, err := readPage(read(t, filepath.Join(root, page)))
	if err != nil {
		t.Fatalf("%s: %v", page, err)
	}
	return blocks
}

// reader runs the commands of pages.
type reader struct {
	env []string
	// unseen removes the flags that only the lab needs from what is printed.
	unseen *strings.Replacer
}

// newReader has bare clusters, with the context names of the pages.
func newReader(t *testing.T) *reader {
	t.Helper()
	lab := labtest.Use(t, labtest.Options{Clusters: 3, NodelessFrom: 3})
	home := t.TempDir()
	config, err := clientcmd.LoadFromFile(lab.Kubeconfig)
	if err != nil {
		t.Fatal(err)
	}
	for name, called := range map[string]string{"cluster1": "east", "cluster2": "west", "cluster3": "south"} {
		config.Contexts[called] = config.Contexts[name]
		delete(config.Contexts, name)
	}
	config.CurrentContext = ""
	kubeconfig := filepath.Join(home, "kubeconfig")
	if err := clientcmd.WriteToFile(*config, kubeconfig); err != nil {
		t.Fatal(err)
	}
	// Flags that only the lab needs are added to the commands; the pages say that they leave them out.
	plugin := `#!/bin/sh
case "$1" in
install-primary | expose-istiod) exec ` + os.Getenv("KUBECTL_MESH_BIN") + ` "$@" -f ` + lab.Overlay + ` ;;
verify) case "$*" in *--traffic*) exec ` + os.Getenv("KUBECTL_MESH_BIN") + ` "$@" --probe-image ` + labtest.ProbeImage + ` ;; esac ;;
esac
exec ` + os.Getenv("KUBECTL_MESH_BIN") + ` "$@"
`
	bin := filepath.Join(home, ".local", "bin")
	if err := os.MkdirAll(bin, 0o750); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(bin, "kubectl-mesh"), []byte(plugin), 0o700); err != nil {
		t.Fatal(err)
	}
	docs, err := filepath.Abs(filepath.Join(root, "docs"))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(docs, filepath.Join(home, "docs")); err != nil { // as in a clone
		t.Fatal(err)
	}
	return &reader{unseen: strings.NewReplacer(" --filename="+lab.Overlay, "", " --probe-image="+labtest.ProbeImage, ""), env: append(os.Environ(), "HOME="+home, "KUBECONFIG="+kubeconfig, "PATH="+bin+":"+lab.Bin+":"+os.Getenv("PATH"), "PWD="+home)}
}

// follow runs a block's commands and compares their output with the page.
func (r *reader) follow(t *testing.T, at string, b block) {
	t.Helper()
	for _, prepare := range b.before {
		r.must(t, at, prepare)
	}
	for _, c := range b.commands {
		if c.typed == "" {
			t.Errorf("%s shows output without a command; say with a comment why it does not run", at)
			continue
		}
		printed, err := r.run(t, c.typed)
		if failed := err != nil; failed != c.fails() {
			t.Errorf("%s: %s\nended with %v:\n%s", at, c.typed, err, printed)
			continue
		}
		if strings.Contains(printed, "No resources found") {
			t.Errorf("%s: %s\nfinds nothing:\n%s", at, c.typed, printed)
		}
		if found := differences(c.shows, printed); c.shows != nil && found != nil {
			t.Errorf("%s: %s\n%s\nIt printed:\n%s", at, c.typed, strings.Join(found, "\n"), printed)
		}
	}
	for _, undo := range b.after {
		r.must(t, at, undo)
	}
}

// fails is true if the page shows that the command fails.
func (c command) fails() bool {
	for _, line := range c.shows {
		if strings.HasPrefix(line, "error:") || strings.HasPrefix(line, "  ✗ ") {
			return true
		}
	}
	return false
}

func (r *reader) must(t *testing.T, at, typed string) {
	t.Helper()
	if printed, err := r.run(t, typed); err != nil {
		t.Fatalf("%s: %s\nended with %v:\n%s", at, typed, err, printed)
	}
}

func (r *reader) run(t *testing.T, typed string) (printed string, err error) {
	t.Helper()
	shell := exec.CommandContext(t.Context(), "bash", "-euo", "pipefail", "-c", typed)
	for _, variable := range r.env {
		if folder, is := strings.CutPrefix(variable, "PWD="); is {
			shell.Dir = folder
		}
	}
	shell.Env = r.env
	out, err := shell.CombinedOutput()
	return r.unseen.Replace(string(out)), err
}
