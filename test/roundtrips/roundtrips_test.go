// Package roundtrips counts how many requests of a command wait for the answer to another: on a slow way to the API servers that,
// and nothing else, is how long it takes.
package roundtrips

import (
	"bytes"
	"context"
	"os"
	"strings"
	"testing"

	"github.com/kubectl-mesh/kubectl-mesh/test/labtest"
)

func TestMain(m *testing.M) { os.Exit(labtest.Main(m)) }

func TestRoundTrips(t *testing.T) {
	lab := labtest.Use(t, labtest.Options{Clusters: 2, NodelessFrom: 2})
	lab.MustMesh(t, "install-primary", "--context", "cluster1", "--network", "network1", "-f", lab.Overlay)
	lab.MustMesh(t, "expose-istiod", "--context", "cluster1", "-f", lab.Overlay)
	for _, c := range []struct {
		args   []string
		atMost int
	}{
		{[]string{"attach-remote", "cluster2"}, 18},
		{[]string{"verify"}, 9},
		{[]string{"status"}, 9},
	} {
		t.Run(c.args[0], func(t *testing.T) {
			made := roundsOf(t, lab, append(c.args, "--context", "cluster1")...)
			t.Logf("%d round trips, at most %d; %d with the waits that ask again", made.count(), c.atMost, len(made.made))
			if made.count() > c.atMost {
				t.Errorf("%d round trips, not at most %d:\n%s", made.count(), c.atMost, made)
			}
		})
	}
}

// roundsOf runs a command of the plugin, which must succeed.
func roundsOf(t *testing.T, lab *labtest.Lab, args ...string) *rounds {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	r := &rounds{}
	command := lab.Command(ctx, os.Getenv("KUBECTL_MESH_BIN"), args...)
	command.Env = append(command.Env, "HTTPS_PROXY="+intercept(t, lab, r), "NO_PROXY=")
	var out bytes.Buffer
	command.Stdout, command.Stderr = &out, &out
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	r.busy = func() bool { return computes(command.Process.Pid) }
	go r.run(ctx)
	if err := command.Wait(); err != nil {
		t.Fatalf("kubectl mesh %s: %v\n%s\n%s", strings.Join(args, " "), err, out.String(), r)
	}
	return r
}
