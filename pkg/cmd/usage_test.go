package cmd

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"k8s.io/cli-runtime/pkg/genericiooptions"
	"sigs.k8s.io/yaml"

	"github.com/kubectl-mesh/kubectl-mesh/pkg/istio"
)

// What can be known to be wrong before any cluster is called is wrong usage: exit code 2, one error, nothing on stdout.
func TestWrongUsage(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ args, want string }{
		{"instal-primary", `there is no command "instal-primary"; did you mean install-primary?`},
		{"detach", `there is no command "detach"`},
		{"install-primary east", "kubectl mesh install-primary takes no arguments. The cluster is named with a flag: --context east"},
		{"expose-istiod east", "expose-istiod takes no arguments. The cluster is named with a flag: --context east"},
		{"attach-remote", "which cluster is to be attached? Name its context: kubectl mesh attach-remote CONTEXT --context PRIMARY"},
		{"attach-remote --context west", "--context west names the primary. If west is the remote: kubectl mesh attach-remote west --context PRIMARY"},
		{"install-primary -v=6", "-v takes no level: it is --verbose"},
		{"install-primary --nonsense", "See 'kubectl mesh install-primary --help'"},
		{"version -o wide", `--output "wide" is none of json, yaml`},

		{"install-primary --timeout 0", "it is not a time to wait"},
		{"expose-istiod --timeout -5s", "it is not a time to wait"},
		{"attach-remote west --timeout 0s", "it is not a time to wait"},
		{"preflight --timeout 0", "it is not a time to wait"},
		{"status --timeout 0", "it is not a time to wait"},
		{"graph --timeout soon", "it is not a duration"},

		{"install-primary --profile minimum", `profile "minimum" is not one for a primary; there are: ambient, default`},
		{"install-primary --set profile=nonsense", `profile "nonsense"`},
		{"install-primary --profile remote", `profile "remote"`},
		{"install-primary --hub http://x", `hub "http://x"`},
		{"install-primary --tag a:b", `tag "a:b"`},
		{"install-primary --mesh-id=a/b", `mesh id "a/b" is not valid`},
		{"install-primary --set values.global.meshID=a/b", `mesh id "a/b" is not valid`},
		{"install-primary --network a/b", `network "a/b" is not valid`},
		{"install-primary --cluster-name A_B", `cluster name "A_B" is not valid`},
		{"install-primary --set values.global.multiCluster.clusterName=Kubernetes", "choose another"},
		{"install-primary --revision 1.29", `revision "1.29" is not valid`},
		{"install-primary -n Bad_NS", `namespace "Bad_NS" is not valid`},
		{"status -n Bad_NS", `namespace "Bad_NS" is not valid`},
		{"install-primary --set meshConfig.trustDomian=x", `unknown field "trustDomian"`},
		{"expose-istiod --set meshConfig.trustDomian=x", `unknown field "trustDomian"`},
		{"attach-remote west --context east --remote-server 10.0.0.1", `no context "east"`},
		{"attach-remote west --set meshConfig.trustDomain=x", "in a remote these settings do nothing, since the primary's count: meshConfig.trustDomain. Give them to install-primary"},
		{"attach-remote west --network a/b", `network "a/b" is not valid`},

		{"expose-istiod --address 127.0.0.1", `--address "127.0.0.1" is not an address that another cluster can call`},
		{"expose-istiod --address localhost", `--address "localhost" is not`},
		{"expose-istiod --address 10.251.3.999", `no hostname ends in a number`},
		{"expose-istiod --address 203.0.113.7 --address 203.0.113.8", `it is given twice, before as "203.0.113.7"`},

		// All is well with these; what is missing is a cluster.
		{"install-primary --profile default --hub registry.example/istio --tag 1.29.1 --mesh-id shop --set values.revisionTags={a,b}", "which cluster is the primary?"},
		{"install-primary -v", "which cluster is the primary?"},
		{"expose-istiod --address 203.0.113.7", "which cluster is the primary?"},
		{"expose-istiod --address gateway.example.com --timeout 1m", "which cluster is the primary?"},
	} {
		t.Run(test.args, func(t *testing.T) {
			t.Parallel()
			code, out, errOut := typed(t, strings.Fields(test.args)...)
			if code != ExitUsage || out != "" || !strings.Contains(errOut, test.want) || strings.Count(errOut, "error: ") != 1 {
				t.Errorf("exit code %d, stdout %q, stderr %q; want %q", code, out, errOut, test.want)
			}
		})
	}
}

// A kubeconfig that is not there is named: kubectl's libraries leave it out without a word.
func TestMissingKubeconfig(t *testing.T) {
	dir := t.TempDir()
	gone, there := filepath.Join(dir, "gone"), filepath.Join(dir, "there")
	text := "apiVersion: v1\nkind: Config\ncontexts:\n- {name: east, context: {cluster: east}}\n"
	if err := os.WriteFile(there, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct{ kubeconfig, args, want string }{
		{gone, "verify", "there is no kubeconfig: " + gone + " does not exist"},
		{gone, "verify --context east", `there is no context "east": the kubeconfig ` + gone + " does not exist"},
		{gone + ":" + there, "verify --context west", "it has: east (and " + gone + " does not exist)"},
		{there, "verify --context west", `there is no context "west" in the kubeconfig; it has: east` + "\n"},
		{there, "verify", "the kubeconfig has no current one"},
	} {
		t.Setenv("KUBECONFIG", test.kubeconfig)
		streams, _, _, stderr := genericiooptions.NewTestIOStreams()
		code := Main(t.Context(), append([]string{"kubectl-mesh"}, strings.Fields(test.args)...), streams)
		if code != ExitUsage || !strings.Contains(stderr.String(), test.want) {
			t.Errorf("KUBECONFIG=%s %s: exit code %d, %s; want %q", test.kubeconfig, test.args, code, stderr, test.want)
		}
	}
}

func TestVersionForms(t *testing.T) {
	t.Parallel()
	for form, read := range map[string]func([]byte, any) error{
		"json": json.Unmarshal,
		"yaml": func(text []byte, into any) error { return yaml.Unmarshal(text, into) },
	} {
		code, out, errOut := typed(t, "version", "-o", form)
		var got versions
		if err := read([]byte(out), &got); err != nil || code != ExitOK || errOut != "" {
			t.Fatalf("-o %s: exit code %d, %v, %s%s", form, code, err, out, errOut)
		}
		if got.Version != Version() || got.Istio != (istio.Charts{}).Release() || got.Go == "" || got.Platform == "" {
			t.Errorf("-o %s: %+v", form, got)
		}
	}
}
