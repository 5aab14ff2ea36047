package snapshot_test

import (
	"os/exec"
	"strings"
	"testing"
)

// What decides links neither Istio nor client-go, nor what reads clusters: it can't call anything, so that a snapshot which was
// saved is judged as a live one is. depguard sees direct imports only.
func TestWhatDecidesIsPure(t *testing.T) {
	t.Parallel()
	const module = "github.com/kubectl-mesh/kubectl-mesh/"
	forbidden := []string{"istio.io/", "k8s.io/client-go", module + "pkg/observe", module + "pkg/probe", module + "pkg/cluster"}
	for _, name := range []string{"mesh", "snapshot", "facts", "plan", "check", "status", "command", "istio/wellknown", "istio/release"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			command := exec.CommandContext(t.Context(), "go", "list", "-deps", module+"pkg/"+name)
			out, err := command.Output()
			if err != nil {
				t.Fatalf("%s: %v", command, err)
			}
			for dependency := range strings.Lines(string(out)) {
				for _, prefix := range forbidden {
					if strings.HasPrefix(dependency, prefix) {
						t.Errorf("pkg/%s links %s", name, strings.TrimSpace(dependency))
					}
				}
			}
		})
	}
}
