package e2e

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/kubectl-mesh/kubectl-mesh/test/labtest"
)

// A remote is known by its cluster, whatever its context is called, and keeps its name.
func TestRenamedContext(t *testing.T) {
	lab := clusters(t, 1, 2)
	primary(t, lab)
	lab.MustMesh(t, "attach-remote", "cluster2", "--context", "cluster1")
	renamed := *lab
	renamed.Kubeconfig = copyKubeconfig(t, lab)
	lab.Kubectl(t, "cluster1", "config", "--kubeconfig", renamed.Kubeconfig, "rename-context", "cluster2", "colleagues")

	before := versions(t, lab, "cluster1", "cluster2")
	r := renamed.MustMesh(t, "attach-remote", "colleagues", "--context", "cluster1")
	mustContain(t, r.Stderr, "colleagues is attached as cluster2 already, and keeps that name")
	mustContain(t, r.Stdout, "Already attached to cluster1: cluster2. Nothing was written.")
	mustBeUnwritten(t, before, versions(t, lab, "cluster1", "cluster2"))
	for _, args := range [][]string{
		{"verify"}, {"verify", "colleagues"}, {"status"}, {"status", "colleagues"}, {"graph", "colleagues"}, {"preflight", "colleagues"},
	} {
		out := renamed.MustMesh(t, append(args, "--context", "cluster1")...).Stdout
		mustContain(t, out, "cluster2")
	}
	sharedCA(t, lab)
}

// sharedCA attaches cluster3 beside cluster2. Their API servers have a CA in common, and no context leads to cluster2.
func sharedCA(t *testing.T, lab *labtest.Lab) {
	t.Helper()
	lacking := *lab
	lacking.Kubeconfig = copyKubeconfig(t, lab)
	lab.Kubectl(t, "cluster1", "config", "--kubeconfig", lacking.Kubeconfig, "delete-context", "cluster2")
	secret := func(cluster string) string {
		return lab.Kubectl(t, "cluster1", "-n", "istio-system", "get", "secret", "istio-remote-secret-"+cluster, "-o", "jsonpath={.data."+cluster+"}")
	}
	ca := func(cluster string) string {
		return lab.Kubectl(t, cluster, "config", "view", "--raw", "--minify", "-o", "jsonpath={.clusters[0].cluster.certificate-authority-data}")
	}
	if one, other := ca("cluster2"), ca("cluster3"); one == "" || one != other {
		t.Fatalf("cluster2 and cluster3 have no CA in common: %q, %q", one, other)
	}
	held := secret("cluster2")
	mustContain(t, lacking.MustMesh(t, "attach-remote", "cluster3", "--context", "cluster1").Stdout, "Attached to cluster1: cluster3.")
	if now := secret("cluster2"); now != held {
		t.Error("attaching cluster3 has changed the secret of cluster2")
	}
	healthy(t, lab, "cluster2", "cluster3")
}

// A remote is never taken for a primary, be it by a wrong current context; one that is made a primary on purpose can be
// attached again by what is printed.
func TestRemoteIsNoPrimary(t *testing.T) {
	lab := clusters(t, 2, 1)
	primary(t, lab)
	lab.MustMesh(t, "attach-remote", "cluster2", "--context", "cluster1")
	meant := []string{"cluster2 is a remote of cluster1; did you mean --context cluster1?"}
	refused(t, lab, []refusal{
		{"installed over", []string{"install-primary", "--context", "cluster2", "-f", lab.Overlay}, 1, append(meant, "--convert-remote cluster2")},
		{"another name to convert", []string{"install-primary", "--context", "cluster2", "-f", lab.Overlay, "--convert-remote", "west"}, 2, []string{"--convert-remote", "cluster2"}},
		{"published", []string{"expose-istiod", "--context", "cluster2"}, 1, meant},
		{"swapped arguments", []string{"attach-remote", "cluster1", "--context", "cluster2"}, 1, append(meant, "the arguments are swapped", "kubectl mesh attach-remote cluster2 --context cluster1")},
	})
	refused(t, lab, []refusal{
		{"swapped arguments, and not attached yet", []string{"attach-remote", "cluster1", "--context", "cluster3"}, 1, []string{"the arguments are swapped", "kubectl mesh attach-remote cluster3 --context cluster1"}},
	})
	for _, command := range []string{"verify", "preflight"} {
		r := lab.Mesh(t, command, "--context", "cluster2", "-o", "json")
		if got := results(t, r, "fail"); r.Code != 1 || !slices.Equal(got, []string{"fail cluster2 primary-is-remote"}) {
			t.Errorf("%s: exit code %d, failed are %q", command, r.Code, got)
		}
	}
	healthy(t, lab, "cluster2")

	lab.MustMesh(t, "install-primary", "--context", "cluster2", "-f", lab.Overlay, "--network", "network1", "--convert-remote", "cluster2")
	if r := lab.Run(t, "kubectl", "--context", "cluster2", "-n", "istio-system", "get", "endpointslice", "istiod"); !strings.Contains(r.Stderr, "NotFound") {
		t.Errorf("the address of cluster1 is still there: %s%s", r.Stdout, r.Stderr)
	}
	lab.MustMesh(t, "install-primary", "--context", "cluster2") // it shows no sign of a remote any more
	r := lab.Mesh(t, "verify", "cluster2", "--context", "cluster1", "-o", "json")
	runFix(t, lab, r, "own-control-plane")
	healthy(t, lab, "cluster2")
}

// runFix runs the commands that a judgement has for a check that failed.
func runFix(t *testing.T, lab *labtest.Lab, judged labtest.Result, id string) {
	t.Helper()
	var verdict struct {
		Results []struct {
			ID, Status string
			Fix        struct{ Commands []struct{ Argv []string } }
		}
	}
	if err := json.Unmarshal([]byte(judged.Stdout), &verdict); err != nil {
		t.Fatalf("%v: %s%s", err, judged.Stdout, judged.Stderr)
	}
	ran := false
	for _, result := range verdict.Results {
		if result.ID != id || result.Status != "fail" {
			continue
		}
		for _, command := range result.Fix.Commands {
			ran = true
			var r labtest.Result
			if argv := command.Argv; argv[1] == "mesh" {
				r = lab.Mesh(t, argv[2:]...)
			} else {
				r = lab.Run(t, argv[0], argv[1:]...)
			}
			if r.Code != 0 {
				t.Fatalf("%q: exit code %d\n%s%s", command.Argv, r.Code, r.Stdout, r.Stderr)
			}
		}
	}
	if !ran {
		t.Fatalf("nothing is to be done about %s: %s", id, judged.Stdout)
	}
}
