package command

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/kubectl-mesh/kubectl-mesh/pkg/mesh"
)

func TestCommands(t *testing.T) {
	t.Parallel()
	east := mesh.Cluster{Name: "east", Context: "ctx-east", Role: mesh.Primary}
	pair := mesh.Mesh{Namespace: mesh.DefaultNamespace, Clusters: []mesh.Cluster{east}}
	canary := mesh.Mesh{Namespace: "istio", Revision: "canary", Clusters: []mesh.Cluster{east}}
	caller := Caller{Every: []string{"--kubeconfig=my file"}, Primary: []string{"--user=me"}, Subcommand: "attach-remote", Own: []string{"--network=n1", "--filename=o.yaml"}}
	for _, test := range []struct {
		name    string
		command Command
		want    string
	}{
		{"a remote", caller.Kubectl(mesh.Cluster{Name: "west", Context: "ctx-west", Role: mesh.Remote}, "get", "pods"), "kubectl --context ctx-west '--kubeconfig=my file' get pods"},
		{"the primary", caller.Kubectl(east, "get", "pods"), "kubectl --context ctx-east '--kubeconfig=my file' --user=me get pods"},
		{"the primary in a pod", Caller{}.Kubectl(mesh.Cluster{Name: "east", Role: mesh.Primary}, "get", "pods"), "kubectl get pods"},
		{"no context", Caller{}.Kubectl(mesh.Cluster{Name: "west", Role: mesh.Remote}, "get", "pods"), "kubectl --context CONTEXT-OF-west get pods"},
		{"istioctl", caller.Istioctl(east, "analyze"), "istioctl --context ctx-east '--kubeconfig=my file' analyze"},
		{"helm", Caller{Every: []string{"--kubeconfig=k", "--as=me"}}.Helm(east, "list"), "helm --kube-context ctx-east --kubeconfig=k list"},
		{"ours", Caller{}.Mesh(pair, "verify", "--traffic"), "kubectl mesh verify --traffic --context ctx-east"},
		{"ours, of a revision in another namespace", Caller{}.Mesh(canary, "verify"), "kubectl mesh verify --context ctx-east -n istio --revision canary"},
		{"ours, another than runs", caller.Mesh(pair, "verify"), "kubectl mesh verify --context ctx-east '--kubeconfig=my file' --user=me"},
		{"ours, once more", caller.Mesh(pair, "attach-remote", "west", "--network", "n2"), "kubectl mesh attach-remote west --network n2 --context ctx-east '--kubeconfig=my file' --user=me --filename=o.yaml"},
	} {
		if got := test.command.String(); got != test.want {
			t.Errorf("%s: got %s, want %s", test.name, got, test.want)
		}
	}
}

func TestRemote(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ name, context, want string }{
		{"west", "west", "west"},
		{"west", "ctx-west", "west=ctx-west"},
		{"gke-shop-prod", "gke_shop_prod", "gke_shop_prod"},
		{"a-b", "a=b", "a-b=a=b"},
		{"x", "-x", "x=-x"},
		{"west", "", "west=CONTEXT-OF-west"},
	} {
		arg, placeholders := Remote(mesh.Cluster{Name: test.name, Context: test.context, Role: mesh.Remote})
		if arg != test.want || (test.context == "") != (len(placeholders) == 1) {
			t.Errorf("%+v is given as %q, with %q to be replaced", test, arg, placeholders)
		}
	}
}

// A shell takes each word as it is, whatever is in it, and runs nothing that is not meant.
func TestShell(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	program := filepath.Join(folder, "kubectl")
	if err := os.WriteFile(program, []byte("#!/bin/sh\nprintf '%s\\0' \"$@\"\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	strange := []string{"", " ", "x; touch " + folder + "/p #", "$(touch " + folder + "/p)", "`touch " + folder + "/p`", "it's", `"`, "a\nb", `\`, "*", "~", "!", "東京", "-n", "&& false"}
	line := Shell(Command{Argv: append([]string{"kubectl"}, strange...)}, Command{Argv: []string{"kubectl", "second"}})
	shell := exec.CommandContext(t.Context(), "/bin/sh", "-c", line)
	shell.Env = []string{"PATH=" + folder}
	out, err := shell.Output()
	if err != nil {
		t.Fatalf("%s: %v", line, err)
	}
	if got := strings.Split(strings.TrimSuffix(string(out), "\x00"), "\x00"); !slices.Equal(got, append(strange, "second")) {
		t.Errorf("a shell takes %s for %q", line, got)
	}
	if _, err := os.Stat(folder + "/p"); err == nil {
		t.Errorf("a shell runs a part of a word of %s", line)
	}
	for want, commands := range map[string][]Command{
		"a | b && c": {{Argv: []string{"a"}}, {Argv: []string{"b"}, Piped: true}, {Argv: []string{"c"}}},
		"":           nil,
	} {
		if got := Shell(commands...); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}
