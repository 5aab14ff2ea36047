package e2e

import (
	"bufio"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"syscall"
	"testing"

	"github.com/kubectl-mesh/kubectl-mesh/test/labtest"
)

// Killed at any moment, the same command finishes the job.
func TestKilledAndRunAgain(t *testing.T) {
	lab := clusters(t, 1, 1)
	for _, command := range [][]string{
		{"install-primary", "--context", "cluster1", "--network", "network1", "-f", lab.Overlay},
		{"expose-istiod", "--context", "cluster1", "-f", lab.Overlay},
		{"attach-remote", "cluster2", "--context", "cluster1"},
	} {
		// Each time a line later than the last; a kill in the midst of a step's requests comes about by itself.
		for after := 0; ; after++ {
			r := stopAfter(t, lab, after, syscall.SIGKILL, command...)
			if r.Code == 0 {
				break // it was faster than the kill
			}
		}
		lab.MustMesh(t, command...)
	}
	healthy(t, lab, "cluster2")
}

// Interrupted, a command says how far it came and how to go on; nothing runs on.
func TestInterrupted(t *testing.T) {
	lab := clusters(t, 1, 1)
	install := []string{"install-primary", "--context", "cluster1", "--network", "network1", "-f", lab.Overlay}
	r := stopAfter(t, lab, 2, syscall.SIGINT, install...)
	if r.Code != 130 {
		t.Errorf("exit code %d, not 130", r.Code)
	}
	mustContain(t, r.Stderr, "interrupted with", "the same command does the rest")
	lab.MustMesh(t, install...)
}

// The probe leaves nothing behind, whatever ends it in the midst of its calls.
func TestProbeLeavesNothing(t *testing.T) {
	lab := clusters(t, 1, 1)
	primary(t, lab)
	// Where the tests themselves ignore it, as under nohup, the plugin would do so, too.
	signal.Notify(make(chan os.Signal, 1), syscall.SIGHUP)
	verify := []string{"verify", "--context", "cluster1", "--traffic", "--probe-image", labtest.ProbeImage, "-v"}
	for _, test := range []struct {
		name   string
		signal syscall.Signal
		pipe   string
		code   int
	}{
		{"Ctrl-C", syscall.SIGINT, "", 130},
		{"closed terminal", syscall.SIGHUP, "", 130},
		{"reads one line", 0, "2>&1 | head -1", 141},
		{"reads nothing", 0, "| true", 141},
	} {
		t.Run(test.name, func(t *testing.T) {
			var r labtest.Result
			if test.pipe == "" {
				r = stopAfter(t, lab, 1, test.signal, verify...)
			} else {
				r = lab.Run(t, "/bin/bash", append([]string{"-c", `"$0" "$@" ` + test.pipe + `; exit "${PIPESTATUS[0]}"`, os.Getenv("KUBECTL_MESH_BIN")}, verify...)...)
			}
			if r.Code != test.code {
				t.Errorf("exit code %d, not %d\n%s", r.Code, test.code, r.Stderr)
			}
			nothingLeft(t, lab)
		})
	}
	// What no node can pull is known at once, long before the probe's time is over.
	t.Run("no such image", func(t *testing.T) {
		r := lab.Mesh(t, "verify", "--context", "cluster1", "--traffic", "--probe-image", "registry.example/mesh-probe:none", "--timeout", "10m")
		if r.Code != 1 {
			t.Errorf("exit code %d, not 1\n%s%s", r.Code, r.Stdout, r.Stderr)
		}
		mustContain(t, r.Stdout, "✗ probe-ready  image registry.example/mesh-probe:none: ", "not found", "--probe-image", "make probe")
		if strings.Contains(r.Stdout, "was not ready within") {
			t.Errorf("it has waited in vain:\n%s", r.Stdout)
		}
		nothingLeft(t, lab)
	})
	// What a run that was killed has left goes with the next one, long before its time.
	t.Run("killed", func(t *testing.T) {
		command := lab.Command(t.Context(), os.Getenv("KUBECTL_MESH_BIN"), verify...)
		if err := command.Start(); err != nil {
			t.Fatal(err)
		}
		if probeNamespace(t, lab, "cluster1") == "" {
			t.Fatal("it starts no probe")
		}
		stop(t, command, syscall.SIGKILL)
		_ = command.Wait() // it was killed
		r := lab.MustMesh(t, verify...)
		mustContain(t, r.Stderr, "remove what an earlier run has left")
		const active = `jsonpath={.items[?(@.status.phase=="Active")].metadata.name}`
		if left := lab.Kubectl(t, "cluster1", "get", "namespaces", "-l", "app.kubernetes.io/name=mesh-probe", "-o", active); left != "" {
			t.Errorf("an earlier run has left: %s", left)
		}
	})
}

// nothingLeft fails where a probe's namespace is left in cluster1.
func nothingLeft(t *testing.T, lab *labtest.Lab) {
	t.Helper()
	if left := lab.Kubectl(t, "cluster1", "get", "namespaces", "-l", "app.kubernetes.io/name=mesh-probe", "-o", "name"); left != "" {
		t.Errorf("the probe has left: %s", left)
	}
}

// stopAfter runs the plugin and sends it a signal once it has written so many lines about its progress.
func stopAfter(t *testing.T, lab *labtest.Lab, lines int, signal syscall.Signal, args ...string) labtest.Result {
	t.Helper()
	command := lab.Command(t.Context(), os.Getenv("KUBECTL_MESH_BIN"), args...)
	stderr, err := command.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	if lines == 0 {
		stop(t, command, signal)
	}
	var said strings.Builder
	scanner := bufio.NewScanner(stderr)
	for seen := 1; scanner.Scan(); seen++ {
		said.WriteString(scanner.Text() + "\n")
		if seen == lines {
			stop(t, command, signal)
		}
	}
	_ = command.Wait() // the exit code says it
	return labtest.Result{Stderr: said.String(), Code: command.ProcessState.ExitCode()}
}

func stop(t *testing.T, command *exec.Cmd, signal syscall.Signal) {
	t.Helper()
	if err := command.Process.Signal(signal); err != nil {
		t.Log(err) // it has ended already
	}
}
