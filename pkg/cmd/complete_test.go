package cmd

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"k8s.io/cli-runtime/pkg/genericiooptions"
)

const threeContexts = `apiVersion: v1
kind: Config
current-context: east
clusters:
- {name: east, cluster: {server: "https://127.0.0.1:1"}}
contexts:
- {name: east, context: {cluster: east}}
- {name: south, context: {cluster: east}}
- {name: west, context: {cluster: east}}
`

// completed is what is offered for a line whose last word is being typed, without descriptions; the last is how the
// shell is to go on.
func completed(t *testing.T, words ...string) []string {
	t.Helper()
	kubeconfig := filepath.Join(t.TempDir(), "kubeconfig")
	if err := os.WriteFile(kubeconfig, []byte(threeContexts), 0o600); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	streams := genericiooptions.IOStreams{In: strings.NewReader(""), Out: &out, ErrOut: &bytes.Buffer{}}
	words = append([]string{words[0], "--kubeconfig", kubeconfig}, words[1:]...)
	if code := Main(t.Context(), append([]string{"kubectl-mesh", "__completeNoDesc"}, words...), streams); code != ExitOK {
		t.Fatalf("completing %q ended with %d", words, code)
	}
	return strings.Fields(out.String())
}

func TestCompletion(t *testing.T) {
	t.Parallel()
	for line, want := range map[string]string{
		"attach-remote ":                    "south west :4",
		"attach-remote w":                   "west :4",
		"attach-remote west ":               "south :4",
		"attach-remote other=west ":         "south :4",
		"attach-remote other=":              "other=south other=west :4",
		"attach-remote --context west ":     "east south :4",
		"preflight ":                        "south west :4",
		"verify ":                           "south west :4", // the primary does not answer
		"verify --context ":                 "east south west :4",
		"install-primary --context s":       "south :4",
		"verify --only token-":              "token-missing token-expired :4",
		"verify --only reachable,token-e":   "reachable,token-expired :4",
		"verify --category tr":              "trust traffic :4",
		"verify -o j":                       "json junit :4",
		"install-primary --filename ":       "yaml yml json :8",
		"expose-istiod --manifests ":        ":16",
		"completion ":                       "bash zsh fish powershell kubectl :4",
		"completion bash ":                  ":4",
		"expose-istiod --load-balancer-sou": "--load-balancer-source-range :4",
	} {
		words := strings.Split(line, " ")
		if got := strings.Join(completed(t, words...), " "); got != want {
			t.Errorf("%q is completed with %q, want %q", line, got, want)
		}
	}
}

// Every shell's script is there, and the one for kubectl asks kubectl for the plugin.
func TestCompletionScripts(t *testing.T) {
	t.Parallel()
	for shell, part := range map[string]string{
		"bash": "__start_kubectl-mesh", "zsh": "#compdef kubectl-mesh", "fish": "complete -c kubectl-mesh",
		"powershell": "Register-ArgumentCompleter", "kubectl": `exec kubectl mesh __complete "$@"`,
	} {
		var out, errOut bytes.Buffer
		code := Main(t.Context(), []string{"kubectl-mesh", "completion", shell}, genericiooptions.IOStreams{Out: &out, ErrOut: &errOut})
		if code != ExitOK || !strings.Contains(out.String(), part) || errOut.Len() > 0 {
			t.Errorf("completion %s: exit code %d, %q\n%.300s", shell, code, errOut.String(), out.String())
		}
	}
	var errOut bytes.Buffer
	if code := Main(t.Context(), []string{"kubectl-mesh", "completion", "tcsh"}, genericiooptions.IOStreams{Out: &bytes.Buffer{}, ErrOut: &errOut}); code != ExitUsage {
		t.Errorf("completion tcsh: exit code %d, %s", code, errOut.String())
	}
}
