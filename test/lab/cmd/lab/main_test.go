package main

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/util/wait"

	"github.com/kubectl-mesh/kubectl-mesh/test/lab"
)

// name is the lab that these tests have to themselves.
const name = "labtest"

func TestMain(m *testing.M) {
	// This program is also the one that is tested; and the lab starts whatever program it is run by as its server.
	if os.Getenv("LAB_TEST_RUN") != "" || filepath.Base(os.Args[0]) == "lab-serve" {
		main()
		return
	}
	flag.Parse()
	code := m.Run()
	if !testing.Short() && os.Geteuid() == 0 {
		if _, err := run(context.Background(), "down"); err != nil {
			fmt.Fprintln(os.Stderr, err)
			code = max(code, 1)
		}
	}
	os.Exit(code)
}

// needLab skips a test that needs clusters where they cannot or should not be.
func needLab(t *testing.T) {
	t.Helper()
	if testing.Short() {
		t.Skip("it starts clusters, and -short is set")
	}
	if os.Geteuid() != 0 {
		t.Skip("a lab needs root")
	}
}

func command(ctx context.Context, args ...string) *exec.Cmd {
	program, err := os.Executable()
	if err != nil {
		panic(err)
	}
	c := exec.CommandContext(ctx, program, args...)
	c.Env = append(os.Environ(), "LAB_TEST_RUN=1", "LAB="+name)
	return c
}

// run runs lab, and returns what it prints. Its error has what lab says.
func run(ctx context.Context, args ...string) (string, error) { return output(command(ctx, args...)) }

func output(c *exec.Cmd) (string, error) {
	var out, said bytes.Buffer
	c.Stdout, c.Stderr = &out, &said
	if err := c.Run(); err != nil {
		return out.String(), fmt.Errorf("%s: %w\n%s", strings.Join(c.Args, " "), err, said.String())
	}
	return out.String(), nil
}

// mustRun runs lab, which must succeed.
func mustRun(t *testing.T, args ...string) string {
	t.Helper()
	out, err := run(t.Context(), args...)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func status(t *testing.T) lab.Status {
	t.Helper()
	var s lab.Status
	if err := json.Unmarshal([]byte(mustRun(t, "status", "-o", "json")), &s); err != nil {
		t.Fatal(err)
	}
	return s
}

// kubectl runs the lab's kubectl in a cluster.
func kubectl(t *testing.T, s lab.Status, cluster string, args ...string) (string, error) {
	t.Helper()
	return kubectlWith(t, "", s, cluster, args...)
}

func kubectlWith(t *testing.T, input string, s lab.Status, cluster string, args ...string) (string, error) {
	t.Helper()
	args = append([]string{"--kubeconfig", s.Kubeconfig, "--context", cluster}, args...)
	c := exec.CommandContext(t.Context(), filepath.Join(s.Bin, "kubectl"), args...)
	c.Stdin = strings.NewReader(input)
	return output(c)
}

func mustKubectl(t *testing.T, s lab.Status, cluster string, args ...string) string {
	t.Helper()
	out, err := kubectl(t, s, cluster, args...)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func apply(t *testing.T, s lab.Status, cluster, file string, more ...string) {
	t.Helper()
	mustKubectl(t, s, cluster, append([]string{"apply", "-f", filepath.Join("testdata", file)}, more...)...)
}

// eventually waits until a check finds nothing wrong. The time is long, since a machine may be slow; it is not the test.
func eventually(t *testing.T, what string, check func() error) {
	t.Helper()
	var last error
	err := wait.PollUntilContextTimeout(t.Context(), 50*time.Millisecond, time.Minute, true, func(context.Context) (bool, error) {
		last = check()
		return last == nil, nil
	})
	if err != nil {
		t.Fatalf("%s: %v: %v", what, err, last)
	}
}

func lacks(text, part string) error {
	if strings.Contains(text, part) {
		return nil
	}
	return fmt.Errorf("%q lacks %q", text, part)
}
