package parity

import (
	"cmp"
	"os"
	"strings"
	"testing"

	"github.com/kubectl-mesh/kubectl-mesh/test/labtest"
)

func TestMain(m *testing.M) { os.Exit(labtest.Main(m)) }

// TestSameMeshAsTheGuide builds the mesh twice on equal clusters, as the guide does and with kubectl-mesh, compares what
// stands there, and asks istioctl what it thinks of ours.
func TestSameMeshAsTheGuide(t *testing.T) {
	for _, revision := range []string{"", "canary"} {
		t.Run("revision "+cmp.Or(revision, "default"), func(t *testing.T) {
			lab := labtest.Use(t, labtest.Options{Clusters: 2, NodelessFrom: 2})
			followGuide(t, lab, revision)
			guide := map[string]state{primary: readSettled(t, lab, primary), remote: readSettled(t, lab, remote)}

			lab.Lab(t, "reset")
			useMesh(t, lab, revision)
			t.Run("objects", func(t *testing.T) { sameObjects(t, lab, guide, revision) })
			t.Run("istioctl remote-clusters", func(t *testing.T) { istioctlSeesTheRemote(t, lab, revision) })
			for _, cluster := range []string{primary, remote} {
				t.Run("istioctl analyze "+cluster, func(t *testing.T) { istioctlFindsNoError(t, lab, cluster, revision) })
			}
		})
	}
}

func sameObjects(t *testing.T, lab *labtest.Lab, guide map[string]state, revision string) {
	t.Helper()
	var differences []difference
	for _, cluster := range []string{primary, remote} {
		if len(guide[cluster]) < 50 {
			t.Errorf("of the guide's mesh only %d objects were read in %s: the comparison would say nothing", len(guide[cluster]), cluster)
		}
		differences = append(differences, compare(cluster, guide[cluster], readSettled(t, lab, cluster))...)
	}
	unmeant, unmet := judge(differences, onPurpose(revision))
	for _, d := range unmeant {
		t.Errorf("differs, and nobody meant it: %s", d)
	}
	for _, entry := range unmet {
		t.Errorf("in the list of intended differences, and there is none: %+v", entry)
	}
}

func istioctlSeesTheRemote(t *testing.T, lab *labtest.Lab, revision string) {
	t.Helper()
	r := lab.Run(t, "istioctl", withRevision(revision, "remote-clusters", "--context", primary)...)
	for line := range strings.Lines(r.Stdout) {
		if fields := strings.Fields(line); len(fields) > 2 && fields[0] == remote && fields[2] == "synced" {
			return
		}
	}
	t.Errorf("istioctl remote-clusters does not call %s synced: exit code %d\n%s%s", remote, r.Code, r.Stdout, r.Stderr)
}

func istioctlFindsNoError(t *testing.T, lab *labtest.Lab, cluster, revision string) {
	t.Helper()
	// The exit code says whether there is anything as bad as an error.
	r := lab.Run(t, "istioctl", withRevision(revision, "analyze", "--all-namespaces", "--context", cluster, "--failure-threshold", "Error")...)
	if r.Code != 0 {
		t.Errorf("istioctl analyze: exit code %d\n%s%s", r.Code, r.Stdout, r.Stderr)
	}
}

func withRevision(revision string, args ...string) []string {
	if revision == "" {
		return args
	}
	return append(args, "--revision", revision)
}
