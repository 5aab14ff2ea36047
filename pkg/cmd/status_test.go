package cmd

import (
	"context"
	"strings"
	"testing"
	"time"

	"k8s.io/cli-runtime/pkg/genericiooptions"

	"github.com/kubectl-mesh/kubectl-mesh/pkg/check"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/mesh"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/status"
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
			options: &options{IOStreams: streams, getenv: func(string) string { return "" }}, output: test.form, now: time.Now,
			sumUp: func(context.Context, []string) (status.Mesh, error) { return sum, nil },
		}
		if err := test.run(&s, t.Context(), nil); err != nil || !strings.HasPrefix(out.String(), test.begins) {
			t.Errorf("-o %q: %v, %q; want it to begin with %q", test.form, err, out, test.begins)
		}
		out.Reset()
		s.sumUp = func(context.Context, []string) (status.Mesh, error) {
			unread := sum
			unread.Unread = "API server: no answer"
			return unread, nil
		}
		if err := test.run(&s, t.Context(), nil); codeOf(t, err) != ExitUnknown || !strings.HasPrefix(out.String(), test.begins) {
			t.Errorf("-o %q of a primary that could not be read: %v, %q", test.form, err, out)
		}
	}
}
