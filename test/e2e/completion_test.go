package e2e

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/kubectl-mesh/kubectl-mesh/test/labtest"
)

// press is a bash in which somebody has set up kubectl's completion, typed WORDS and pressed the Tab key.
const press = `
. /usr/share/bash-completion/bash_completion
. <(kubectl completion bash)
COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)) COMP_LINE="$*"
COMP_POINT=${#COMP_LINE}
complete -p kubectl >/dev/null
__start_kubectl
printf '%s\n' "${COMPREPLY[@]}"
`

// In a real bash, kubectl completes the plugin through kubectl_complete-mesh.
func TestCompletion(t *testing.T) {
	lab := clusters(t, 1, 1)
	folder := t.TempDir()
	if err := os.Symlink(os.Getenv("KUBECTL_MESH_BIN"), filepath.Join(folder, "kubectl-mesh")); err != nil {
		t.Fatal(err)
	}
	shim := lab.MustMesh(t, "completion", "kubectl").Stdout
	if err := os.WriteFile(filepath.Join(folder, "kubectl_complete-mesh"), []byte(shim), 0o700); err != nil {
		t.Fatal(err)
	}
	for line, want := range map[string]string{
		"kubectl mes":                                   "mesh",
		"kubectl mesh att":                              "attach-remote",
		"kubectl mesh attach-remote cluster1 ":          "cluster2",
		"kubectl mesh verify --context cluster":         "cluster1 cluster2",
		"kubectl mesh verify --category net":            "network",
		"kubectl mesh attach-remote --context clust":    "cluster1 cluster2",
		"kubectl mesh expose-istiod --load-balancer-so": "--load-balancer-source-range",
	} {
		bash := lab.Command(t.Context(), "/bin/bash", append([]string{"-c", press, "bash"}, strings.Split(line, " ")...)...)
		bash.Env = append(bash.Env, "PATH="+folder+":"+lab.Bin+":"+os.Getenv("PATH"))
		r := labtest.Finish(t, bash)
		var got []string
		for offered := range strings.Lines(r.Stdout) {
			word, _, _ := strings.Cut(strings.TrimSpace(offered), " ") // the rest describes it
			got = append(got, word)
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%q is completed with %q, want %q\n%s", line, got, want, r.Stderr)
		}
	}
}
