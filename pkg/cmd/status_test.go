package cmd

import (
	"context"
	"strings"
	"testing"
	"time"

	"k8s.io/cli-runtime/pkg/genericiooptions"
	"k8s.io/client-go/tools/clientcmd/api"

	"github.com/kubectl-mesh/kubectl-mesh/pkg/check"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/mesh"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/status"
	"github.com/kubectl-mesh/kubectl-mesh/test/apiserver"
	"github.com/kubectl-mesh/kubectl-mesh/test/kubeconfig"
)

func TestShowingUsage(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ args, want string }{
		{"status -o junit", `--output "junit" is none of wide, json, yaml, name`},
		{"graph -o png", `--output "png" is none of mermaid, dot, svg`},
		{"status", "which cluster is the primary?"},
		{"graph nowhere --context east", `"east"`},
	} {
		code, out, errOut := typed(t, strings.Fields(test.args)...)
		if code != ExitUsage || out != "" || !strings.Contains(errOut, test.want) {
			t.Errorf("%s: exit code %d, stdout %q, stderr %q; want %q", test.args, code, out, errOut, test.want)
		}
	}
}

// Every form begins as what it is, and a mesh that is broken is shown with exit code 0.
func TestShown(t *testing.T) {
	t.Parallel()
	sum := status.Mesh{ID: "mesh1", Status: check.Fail, Clusters: []status.Cluster{{Name: "east", Role: mesh.Primary, Status: check.Fail}}}
	for _, test := range []struct {
		form, begins string
		run          func(*showing, context.Context, []string) error
	}{
		{"", "Mesh  ", (*showing).runStatus},
		{"wide", "Mesh  ", (*showing).runStatus},
		{"json", "{\n  \"id\": \"mesh1\"", (*showing).runStatus},
		{"yaml", "clusters:\n", (*showing).runStatus},
		{"name", "cluster/east\n", (*showing).runStatus},
		{"", "flowchart LR\n", (*showing).runGraph},
		{"mermaid", "flowchart LR\n", (*showing).runGraph},
		{"dot", "digraph mesh {\n", (*showing).runGraph},
		{"svg", "<svg xmlns=", (*showing).runGraph},
	} {
		streams, _, out, _ := genericiooptions.NewTestIOStreams()
		s := showing{
			global: &global{IOStreams: streams, getenv: func(string) string { return "" }}, output: test.form, timeout: time.Minute, now: time.Now,
			summarize: func(context.Context, []string) (status.Mesh, error) { return sum, nil },
		}
		if err := test.run(&s, t.Context(), nil); err != nil || !strings.HasPrefix(out.String(), test.begins) {
			t.Errorf("-o %q: %v, %q; want it to begin with %q", test.form, err, out, test.begins)
		}
		out.Reset()
		s.summarize = func(context.Context, []string) (status.Mesh, error) {
			unread := sum
			unread.Unread = "API server: no answer"
			return unread, nil
		}
		if err := test.run(&s, t.Context(), nil); codeOf(t.Context(), err) != ExitUnknown || !strings.HasPrefix(out.String(), test.begins) {
			t.Errorf("-o %q of a primary that could not be read: %v, %q", test.form, err, out)
		}
	}
}

// A primary that does not answer is shown, and the exit code says that nothing is known of it.
func TestStatusOfASilentPrimary(t *testing.T) {
	t.Parallel()
	silent, _ := apiserver.Silent(t)
	config := kubeconfig.Write(t, map[string]*api.Cluster{"silent": kubeconfig.At(silent)}, nil)
	for command, shows := range map[string]string{"status": "silent", "graph": "flowchart LR"} {
		streams, _, out, errOut := genericiooptions.NewTestIOStreams()
		code := Main(t.Context(), []string{"kubectl-mesh", command, "--kubeconfig", config, "--context", "silent", "--request-timeout", "1s"}, streams)
		if code != ExitUnknown || !strings.Contains(out.String(), shows) || !strings.Contains(errOut.String(), "error: the primary could not be read: API server: ") {
			t.Errorf("%s: exit code %d\n%s%s", command, code, out, errOut)
		}
	}
}
