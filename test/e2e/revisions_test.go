package e2e

import "testing"

// Two revisions side by side: neither undoes what the other has written, and the gateway serves both.
func TestTwoRevisions(t *testing.T) {
	lab := clusters(t, 1, 3)
	primary(t, lab)
	primary(t, lab, "--revision", "canary")
	lab.MustMesh(t, "attach-remote", "cluster3", "--context", "cluster1")
	lab.MustMesh(t, "attach-remote", "cluster4", "--context", "cluster1", "--revision", "canary")
	before := versions(t, lab, "cluster1", "cluster3", "cluster4")
	primary(t, lab)
	primary(t, lab, "--revision", "canary")
	mustBeUnwritten(t, before, versions(t, lab, "cluster1", "cluster3", "cluster4"))
	for _, revision := range []string{"", "canary"} {
		r := lab.Mesh(t, "verify", "--context", "cluster1", "--revision", revision, "-o", "json")
		mustContain(t, r.Stdout, "not-exposed")
	}
}
