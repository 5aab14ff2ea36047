package faults

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/kubectl-mesh/kubectl-mesh/test/labtest"
)

const (
	primary   = "cluster1"
	remote    = "cluster2"
	namespace = "istio-system"
	// patience bounds every wait: an istiod that is told to go on without a silent cluster does so after 30 s.
	patience = 15 * time.Second
)

// bed is a mesh to break things in.
type bed struct {
	*labtest.Lab
	// plugins is a folder in which kubectl finds the plugin.
	plugins string
	// install is what is said to install-primary.
	install []string
}

// newBed makes a healthy mesh of a primary with a node and a remote where no pod need run. What is given is said to
// install-primary as well.
func newBed(t *testing.T, options labtest.Options, install ...string) *bed {
	t.Helper()
	b := &bed{Lab: labtest.Use(t, options), plugins: t.TempDir()}
	if err := os.Symlink(os.Getenv("KUBECTL_MESH_BIN"), filepath.Join(b.plugins, "kubectl-mesh")); err != nil {
		t.Fatal(err)
	}
	b.install = append([]string{"install-primary", "--context", primary, "--network", "network1", "-f", b.Overlay}, install...)
	b.make(t)
	return b
}

func (b *bed) make(t *testing.T) {
	t.Helper()
	b.MustMesh(t, b.install...)
	b.MustMesh(t, "expose-istiod", "--context", primary)
	b.MustMesh(t, "attach-remote", remote, "--context", primary)
}

// remake makes the mesh anew, after a fault that was not mended.
func (b *bed) remake(t *testing.T) {
	t.Helper()
	b.Lab.Lab(t, "up", "--clusters", fmt.Sprint(len(b.Clusters)))
	b.Lab.Lab(t, "reset")
	b.make(t)
}

// shell runs a command line as a user would who has pasted it.
func (b *bed) shell(t *testing.T, line string) labtest.Result {
	t.Helper()
	command := b.Command(t.Context(), "/bin/sh", "-c", line)
	command.Env = append(command.Env, "PATH="+b.plugins+":"+b.Bin+":"+os.Getenv("PATH"))
	return labtest.Finish(t, command)
}

// kubectl runs kubectl on Istio's namespace of a cluster.
func (b *bed) kubectl(t *testing.T, cluster string, args ...string) string {
	t.Helper()
	return b.Kubectl(t, cluster, append([]string{"-n", namespace}, args...)...)
}

// create makes objects of YAML in Istio's namespace.
func (b *bed) create(t *testing.T, cluster, yaml string) {
	t.Helper()
	b.createIn(t, cluster, namespace, yaml)
}

func (b *bed) createIn(t *testing.T, cluster, namespace, yaml string) {
	t.Helper()
	command := b.Command(t.Context(), "kubectl", "--context", cluster, "-n", namespace, "create", "-f", "-")
	command.Stdin = strings.NewReader(yaml)
	if r := labtest.Finish(t, command); r.Code != 0 {
		t.Fatalf("kubectl create on %s: %s", cluster, r.Stderr)
	}
}

// result is one of verify's.
type result struct{ ID, Cluster, Status, Seen, Fix string }

func (r result) String() string {
	return strings.Join([]string{r.Status, r.ID, r.Cluster}, " ")
}

// verdict is what verify came to.
type verdict struct {
	code    int
	results []result
	stderr  string
}

// verify judges the mesh.
func (b *bed) verify(t *testing.T, args ...string) verdict {
	t.Helper()
	r := b.Mesh(t, append([]string{"verify", "--context", primary, "-o", "json"}, args...)...)
	v := verdict{code: r.Code, stderr: r.Stderr}
	var out struct{ Results []result }
	if err := json.Unmarshal([]byte(r.Stdout), &out); err != nil {
		v.stderr += fmt.Sprintf("verify ended with %d and printed no JSON: %v", r.Code, err)
	}
	v.results = out.Results
	return v
}

// told are the results that are neither passed nor skipped.
func (v verdict) told() []string {
	told := []string{}
	for _, r := range v.results {
		if r.Status != "pass" && r.Status != "skip" {
			told = append(told, r.String())
		}
	}
	slices.Sort(told)
	return told
}

// knows is true when something was judged of the cluster.
func (v verdict) knows(cluster string) bool {
	return slices.ContainsFunc(v.results, func(r result) bool { return r.Cluster == cluster && r.Status == "pass" })
}

// text is what a failed test shows.
func (v verdict) text() string {
	var text strings.Builder
	for _, r := range v.results {
		if r.Status != "pass" && r.Status != "skip" {
			fmt.Fprintf(&text, "%s: %s\n  → %s\n", r, r.Seen, r.Fix)
		}
	}
	return text.String() + v.stderr
}

// await asks verify again and again until it tells exactly this, and fails the test when it never does.
func (b *bed) await(t *testing.T, want []string, args ...string) verdict {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	for {
		v := b.verify(t, args...)
		if slices.Equal(v.told(), want) && (len(want) > 0 || v.knows(primary) && v.knows(remote)) {
			return v
		}
		if ctx.Err() != nil {
			t.Fatalf("verify tells %q, not %q:\n%s", v.told(), want, v.text())
		}
	}
}
