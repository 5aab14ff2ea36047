package report

import (
	"path/filepath"
	"strings"
	"testing"

	"k8s.io/cli-runtime/pkg/genericiooptions"

	"github.com/kubectl-mesh/kubectl-mesh/pkg/apply"
)

// --show-diff needs temporary files, as kubectl diff does: where there can be none, the error says how to have them elsewhere.
func TestDiffWithoutPlaceForFiles(t *testing.T) {
	t.Setenv("TMPDIR", filepath.Join(t.TempDir(), "missing"))
	o := wanted("east", "1-install-primary", "Namespace", "istio-system", nil)
	o.Verb = apply.Created
	streams, _, _, _ := genericiooptions.NewTestIOStreams()
	if err := Diff(streams, []Object{o}); err == nil || !strings.Contains(err.Error(), "set TMPDIR") {
		t.Errorf("%v", err)
	}
}
