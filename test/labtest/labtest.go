// Package labtest gives tests real clusters: those of test/lab, through its program.
package labtest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/client-go/tools/clientcmd/api"
)

// ProbeImage is the name under which the probe's image is in the lab's registry.
const ProbeImage = "ghcr.io/kubectl-mesh/mesh-probe:test"

// Lab is a running lab.
type Lab struct {
	// Kubeconfig has a context for each cluster, named as it is: cluster1, cluster2, …
	Kubeconfig string
	// Bin is a folder with kubectl and istioctl.
	Bin string
	// Overlay is the IstioOperator file without which Istio does not run in the lab.
	Overlay string
	// Clusters are those that run.
	Clusters []Cluster

	program, name string
	// folder has the lab's files, with a folder for each cluster.
	folder string
}

// Needs are what a command of the plugin is told in the lab besides: the overlay is for what runs in the primary.
func (l *Lab) Needs(command string) []string {
	if command == "install-primary" || command == "expose-istiod" {
		return []string{"-f", l.Overlay}
	}
	return nil
}

// Cluster is one of a lab's.
type Cluster struct {
	Name string `json:"name"`
	// Server is the API server's address.
	Server string `json:"server"`
	// Node is the node's address.
	Node string `json:"node"`
	// Nodeless clusters can run no pods.
	Nodeless bool `json:"nodeless"`
}

// Use gives a test clusters that are as after their start, for itself alone until it ends. The test runs in parallel with
// others, as far as the machine has room for their labs, and waits here for its own. It is skipped where there can be no
// lab: with -short, and where make has not built one.
func Use(tb testing.TB, options Options) *Lab {
	tb.Helper()
	if testing.Short() {
		tb.Skip("needs real clusters")
	}
	if os.Getenv("LAB_BIN") == "" || os.Getenv("KUBECTL_MESH_BIN") == "" {
		tb.Skip("needs real clusters: run it through make test or make test-e2e, as root on Linux")
	}
	if t, is := tb.(*testing.T); is {
		t.Parallel()
	}
	lab, used := reserve(tb, options.shape())
	status := struct {
		Kubeconfig   string    `json:"kubeconfig"`
		Bin          string    `json:"bin"`
		IstioOverlay string    `json:"istioOverlay"`
		Clusters     []Cluster `json:"clusters"`
	}{}
	up := append([]string{"up", "-o", "json"}, options.args()...)
	if err := json.Unmarshal([]byte(lab.Lab(tb, up...)), &status); err != nil {
		tb.Fatalf("the lab's status: %v", err)
	}
	lab.Bin, lab.Overlay, lab.Clusters = status.Bin, status.IstioOverlay, status.Clusters[:options.Clusters]
	lab.folder = filepath.Dir(status.Kubeconfig)
	lab.Kubeconfig = lab.kubeconfig(tb, status.Kubeconfig)
	if probe := os.Getenv("MESH_PROBE_BIN"); probe != "" {
		lab.Lab(tb, "push", ProbeImage+"="+probe)
	}
	if len(used) > 0 {
		lab.Lab(tb, append([]string{"reset"}, used...)...)
	}
	tb.Cleanup(func() { lab.saveLogs(tb) })
	return lab
}

// kubeconfig is a copy of the lab's for the test, without the clusters that it has not asked for.
func (l *Lab) kubeconfig(tb testing.TB, whole string) string {
	tb.Helper()
	config, err := clientcmd.LoadFromFile(whole)
	if err != nil {
		tb.Fatal(err)
	}
	maps.DeleteFunc(config.Contexts, func(name string, _ *api.Context) bool {
		return !slices.ContainsFunc(l.Clusters, func(c Cluster) bool { return c.Name == name })
	})
	path := filepath.Join(tb.TempDir(), "kubeconfig")
	if err := clientcmd.WriteToFile(*config, path); err != nil {
		tb.Fatal(err)
	}
	return path
}

// saveLogs keeps the logs of a failed test where the user's cache is.
func (l *Lab) saveLogs(tb testing.TB) {
	tb.Helper()
	cache := os.Getenv("KUBECTL_MESH_CACHE")
	if !tb.Failed() || cache == "" {
		return
	}
	folder := filepath.Join(cache, "logs", strings.ReplaceAll(tb.Name(), "/", "-"))
	ctx, cancel := context.WithTimeout(context.WithoutCancel(tb.Context()), time.Minute)
	defer cancel()
	if _, err := l.command(ctx, "logs", "--save", folder); err != nil {
		tb.Logf("the clusters' logs could not be kept: %v", err)
		return
	}
	tb.Logf("the clusters' logs are in %s", folder)
}

// Lab runs the lab's program and returns its output.
func (l *Lab) Lab(tb testing.TB, args ...string) string {
	tb.Helper()
	// Clean-up functions call this too, when the test's own context has ended.
	out, err := l.command(context.WithoutCancel(tb.Context()), args...)
	if err != nil {
		tb.Fatal(err)
	}
	return out
}

func (l *Lab) command(ctx context.Context, args ...string) (string, error) {
	command := exec.CommandContext(ctx, l.program, append([]string{"--lab", l.name}, args...)...)
	var stdout, stderr bytes.Buffer
	command.Stdout, command.Stderr = &stdout, &stderr
	if err := command.Run(); err != nil {
		return "", fmt.Errorf("lab %s: %w\n%s", strings.Join(args, " "), err, stderr.String())
	}
	return stdout.String(), nil
}

// Result is what a program said, and how it ended.
type Result struct {
	Stdout, Stderr string
	Code           int
}

// Command prepares a program of the lab's (kubectl, istioctl) or any other with the lab's kubeconfig.
func (l *Lab) Command(ctx context.Context, program string, args ...string) *exec.Cmd {
	if inLab := filepath.Join(l.Bin, program); !filepath.IsAbs(program) {
		program = inLab
	}
	command := exec.CommandContext(ctx, program, args...)
	command.Env = append(os.Environ(), "KUBECONFIG="+l.Kubeconfig, "PATH="+l.Bin+":"+os.Getenv("PATH"))
	return command
}

// Run runs a program as Command prepares it.
func (l *Lab) Run(tb testing.TB, program string, args ...string) Result {
	tb.Helper()
	// Clean-up functions call this too, when the test's own context has ended.
	return Finish(tb, l.Command(context.WithoutCancel(tb.Context()), program, args...))
}

// Finish runs a prepared program to its end.
func Finish(tb testing.TB, command *exec.Cmd) Result {
	tb.Helper()
	var stdout, stderr bytes.Buffer
	command.Stdout, command.Stderr = &stdout, &stderr
	err := command.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		tb.Fatalf("%s: %v", command, err)
	}
	return Result{Stdout: stdout.String(), Stderr: stderr.String(), Code: command.ProcessState.ExitCode()}
}

// Mesh runs the plugin.
func (l *Lab) Mesh(tb testing.TB, args ...string) Result {
	tb.Helper()
	return l.Run(tb, os.Getenv("KUBECTL_MESH_BIN"), args...)
}

// MustMesh runs the plugin, which must succeed.
func (l *Lab) MustMesh(tb testing.TB, args ...string) Result {
	tb.Helper()
	r := l.Mesh(tb, args...)
	if r.Code != 0 {
		tb.Fatalf("kubectl mesh %s: exit code %d\n%s%s", strings.Join(args, " "), r.Code, r.Stdout, r.Stderr)
	}
	return r
}

// Kubectl runs kubectl on a cluster, which must succeed, and returns what it prints.
func (l *Lab) Kubectl(tb testing.TB, cluster string, args ...string) string {
	tb.Helper()
	r := l.Run(tb, "kubectl", append([]string{"--context", cluster}, args...)...)
	if r.Code != 0 {
		tb.Fatalf("kubectl --context %s %s: exit code %d\n%s%s", cluster, strings.Join(args, " "), r.Code, r.Stdout, r.Stderr)
	}
	return r.Stdout
}
