package faults

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/util/wait"

	"github.com/kubectl-mesh/kubectl-mesh/pkg/check"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/report"
	"github.com/kubectl-mesh/kubectl-mesh/test/labtest"
)

const (
	primary   = "cluster1"
	remote    = "cluster2"
	namespace = "istio-system"
	// hang is when a condition that does not come true is given up. Nothing here takes that long, on a busy machine either.
	hang = 5 * time.Minute
)

// testMesh is a mesh to break things in.
type testMesh struct {
	*labtest.Lab
	// plugins is a folder in which kubectl finds the plugin.
	plugins string
	// remotes are the clusters that are attached.
	remotes []string
}

// newBed waits for clusters, in which no mesh is yet.
func newTestMesh(t *testing.T, options labtest.Options) *testMesh {
	t.Helper()
	m := &testMesh{Lab: labtest.Use(t, options), plugins: t.TempDir()}
	if err := os.Symlink(os.Getenv("KUBECTL_MESH_BIN"), filepath.Join(m.plugins, "kubectl-mesh")); err != nil {
		t.Fatal(err)
	}
	return m
}

// install makes the primary. Its istiod goes on without a remote that is silent after two seconds, not thirty.
func (m *testMesh) install(t *testing.T) {
	t.Helper()
	m.MustMesh(t, "install-primary", "--context", primary, "--network", "network1", "-f", m.Overlay,
		"--set", "values.pilot.env.PILOT_REMOTE_CLUSTER_TIMEOUT=2s")
	m.MustMesh(t, "expose-istiod", "--context", primary)
}

// attach adds remotes to the mesh.
func (m *testMesh) attach(t *testing.T, args ...string) {
	t.Helper()
	m.MustMesh(t, append([]string{"attach-remote", "--context", primary}, args...)...)
}

// remake makes the mesh again, after a fault that was not fixed.
func (m *testMesh) remake(t *testing.T) {
	t.Helper()
	m.Lab.Lab(t, "up", "--clusters", fmt.Sprint(len(m.Clusters)))
	m.Lab.Lab(t, "reset")
	m.install(t)
	if len(m.remotes) > 0 {
		m.attach(t, m.remotes...)
	}
}

// shell runs a command line as a user would who has pasted it.
func (m *testMesh) shell(t *testing.T, line string) labtest.Result {
	t.Helper()
	command := m.Command(t.Context(), "/bin/sh", "-c", line)
	command.Env = append(command.Env, "PATH="+m.plugins+":"+m.Bin+":"+os.Getenv("PATH"))
	return labtest.Finish(t, command)
}

// kubectl runs kubectl on Istio's namespace of a cluster.
func (m *testMesh) kubectl(t *testing.T, cluster string, args ...string) string {
	t.Helper()
	return m.Kubectl(t, cluster, append([]string{"-n", namespace}, args...)...)
}

// istiods are the pods of istiod that are to stay, each by a field of its own.
func (m *testMesh) istiods(t *testing.T, field string) []string {
	t.Helper()
	return strings.Fields(m.kubectl(t, primary, "get", "pods", "-l", "app=istiod", "-o",
		"go-template={{range .items}}{{if not .metadata.deletionTimestamp}}{{with "+field+"}}{{.}} {{end}}{{end}}{{end}}"))
}

// create makes objects of YAML in Istio's namespace.
func (m *testMesh) create(t *testing.T, cluster, yaml string) {
	t.Helper()
	m.createIn(t, cluster, namespace, yaml)
}

func (m *testMesh) createIn(t *testing.T, cluster, namespace, yaml string) {
	t.Helper()
	command := m.Command(t.Context(), "kubectl", "--context", cluster, "-n", namespace, "create", "-f", "-")
	command.Stdin = strings.NewReader(yaml)
	if r := labtest.Finish(t, command); r.Code != 0 {
		t.Fatalf("kubectl create on %s: %s", cluster, r.Stderr)
	}
}

// until looks again and again until a condition holds, and fails the test with what it saw last if that never comes.
func until(t *testing.T, what string, look func() (holds bool, seen string)) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), hang)
	defer cancel()
	// A look starts a program or two, so there is little time between them at first, and more later.
	backoff := wait.Backoff{Duration: 50 * time.Millisecond, Factor: 1.5, Cap: time.Second, Steps: math.MaxInt}
	var seen string
	err := backoff.DelayFunc().Until(ctx, true, true, func(context.Context) (holds bool, err error) {
		holds, seen = look()
		return holds, nil
	})
	if err != nil {
		t.Fatalf("waited %v until %s; last seen: %s", hang, what, seen)
	}
}

// result is one of verify's.
type result struct {
	ID, Cluster, To, Status, Seen string
	Fix                           check.Fix
}

func (r result) String() string {
	return strings.TrimSpace(strings.Join([]string{r.Status, r.ID, r.Cluster, r.To}, " "))
}

// verdict is what verify came to.
type verdict struct {
	code    int
	results []result
	stderr  string
}

// verify judges the mesh.
func (m *testMesh) verify(t *testing.T, args ...string) verdict {
	t.Helper()
	r := m.Mesh(t, append([]string{"verify", "--context", primary, "-o", "json"}, args...)...)
	v := verdict{code: r.Code, stderr: r.Stderr}
	var out struct{ Results []result }
	if err := json.Unmarshal([]byte(r.Stdout), &out); err != nil {
		v.stderr += fmt.Sprintf("verify ended with %d and printed no JSON: %v", r.Code, err)
	}
	v.results = out.Results
	return v
}

// reported are the results that are neither passed nor skipped.
func (v verdict) reported() []string {
	reported := []string{}
	for _, r := range v.results {
		if r.Status != "pass" && r.Status != "skip" {
			reported = append(reported, r.String())
		}
	}
	slices.Sort(reported)
	return reported
}

// healthy is true when verify has looked at all clusters and passed them.
func (v verdict) healthy(clusters ...string) bool {
	for _, cluster := range clusters {
		if !slices.ContainsFunc(v.results, func(r result) bool { return r.Cluster == cluster && r.Status == "pass" }) {
			return false
		}
	}
	return v.code == 0 && len(v.reported()) == 0
}

// text is what a failed test shows.
func (v verdict) text() string {
	var text strings.Builder
	for _, r := range v.results {
		if r.Status != "pass" && r.Status != "skip" {
			fmt.Fprintf(&text, "%s: %s\n%s", r, r.Seen, report.Fix(r.Fix, "  "))
		}
	}
	return text.String() + v.stderr
}

// await runs verify until it reports exactly this, or, where that is nothing, that the mesh is healthy. What it reports in
// the meantime, while istiod and the proxies have yet to hear of what was done, is logged.
func (m *testMesh) await(t *testing.T, want []string, args ...string) verdict {
	t.Helper()
	want = slices.Sorted(slices.Values(want))
	var v verdict
	var before []string
	until(t, fmt.Sprintf("verify reports %q", want), func() (bool, string) {
		v = m.verify(t, args...)
		reported := v.reported()
		if len(want) > 0 && slices.Equal(reported, want) || len(want) == 0 && v.healthy(append(m.remotes, primary)...) {
			return true, ""
		}
		if !slices.Equal(reported, before) {
			t.Logf("verify does not report %q yet, but %q:\n%s", want, reported, v.text())
		}
		before = reported
		return false, v.text()
	})
	return v
}

// staysHealthy asks again and again of a mesh in which nothing is wrong.
func (m *testMesh) staysHealthy(t *testing.T) {
	t.Helper()
	m.await(t, nil)
	for range 20 {
		if v := m.verify(t); !v.healthy(append(m.remotes, primary)...) {
			t.Fatalf("a false alarm: %s", v.text())
		}
	}
}
