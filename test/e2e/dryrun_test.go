package e2e

import (
	"encoding/base64"
	"slices"
	"strings"
	"testing"

	"github.com/kubectl-mesh/kubectl-mesh/test/labtest"
)

// A dry run shows what a command would do, and does nothing; what it prints, applied with kubectl, makes the same mesh.
func TestDryRun(t *testing.T) {
	lab := clusters(t, 1, 1)
	install := []string{"install-primary", "--context", "cluster1", "--network", "network1", "-f", lab.Overlay}
	expose := []string{"expose-istiod", "--context", "cluster1", "-f", lab.Overlay}
	attach := []string{"attach-remote", "cluster2", "--context", "cluster1"}
	all := []string{"cluster1", "cluster2"}

	// dryRun runs a command, which must write nothing, and returns what it prints.
	dryRun := func(command []string, more ...string) string {
		t.Helper()
		before := versions(t, lab, all...)
		r := lab.MustMesh(t, append(slices.Clip(command), more...)...)
		mustBeUnwritten(t, before, versions(t, lab, all...))
		return r.Stdout
	}
	mustContain(t, dryRun(install, "--dry-run=client"),
		"cluster1  namespace/istio-system created (dry run)\n", "deployment.apps/istiod created (dry run)\n")
	mustContain(t, dryRun(install, "--dry-run=server"), "deployment.apps/istiod created (server dry run)\n")
	mustContain(t, dryRun(install, "--show-diff"), "+kind: Deployment\n", "+          value: cluster1\n")

	r := lab.MustMesh(t, append(install, "-o", "name")...)
	if strings.Contains(r.Stdout, " ") || !strings.Contains(r.Stdout, "deployment.apps/istiod\n") {
		t.Errorf("-o name prints more than names:\n%s", r.Stdout)
	}
	mustContain(t, r.Stderr, "is the primary of mesh mesh1")
	for _, validator := range []string{"istio-validator-istio-system", "istiod-default-validator"} { // istiod writes it once it answers
		lab.Kubectl(t, "cluster1", "wait", "--for=jsonpath={.webhooks[0].failurePolicy}=Fail", "--timeout=5m", "validatingwebhookconfiguration/"+validator)
	}
	if changed := dryRun(install, "--show-diff"); changed != "" {
		t.Errorf("what was just installed would change:\n%s", changed)
	}
	for _, how := range []string{"--dry-run=client", "--dry-run=server"} {
		if out := dryRun(install, how); strings.Contains(out, "created") || strings.Contains(out, "configured") {
			t.Errorf("of what was just installed %s says:\n%s", how, out)
		}
	}
	mustContain(t, dryRun(install, "--show-diff", "--set", "values.pilot.env.COLOUR=red"), "+        - name: COLOUR\n", "+          value: red\n")
	mustContain(t, dryRun(expose, "--dry-run=server"), "service/istio-eastwestgateway created (server dry run)")
	lab.MustMesh(t, expose...)

	mustContain(t, dryRun(attach, "--dry-run=server"),
		"cluster2  namespace/istio-system created (server dry run)\n", "cluster1  secret/istio-remote-secret-cluster2 created (server dry run)\n")
	refused(t, lab, []refusal{
		{"objects of several clusters", append(attach, "--dry-run=client", "-o", "yaml"), 2, []string{"cluster2, cluster1", "--only-cluster"}},
		{"of a cluster that is not written to", append(attach, "--dry-run=client", "--only-cluster", "elsewhere"), 2, []string{"cluster2, cluster1"}},
		{"another kind of dry run", append(attach, "--dry-run=yes"), 2, []string{"none, client, server"}},
		{"another output", append(attach, "-o", "table"), 2, []string{`"table"`, "yaml"}},
	})

	applyTo := func(cluster, objects string) {
		t.Helper()
		command := lab.Command(t.Context(), "kubectl", "--context", cluster, "apply", "--server-side", "--field-manager", "kubectl-mesh", "-f", "-")
		command.Stdin = strings.NewReader(objects)
		if r := labtest.Finish(t, command); r.Code != 0 {
			t.Fatalf("kubectl apply on %s: %s", cluster, r.Stderr)
		}
	}
	applyTo("cluster2", dryRun(attach, "--dry-run=client", "-o", "yaml", "--only-cluster", "cluster2"))
	lab.Kubectl(t, "cluster2", "-n", "istio-system", "wait", "--for=jsonpath={.data.token}", "--timeout=5m",
		"secret/istio-reader-service-account-istio-remote-secret-token")
	token := lab.Kubectl(t, "cluster2", "-n", "istio-system", "get", "secret", "istio-reader-service-account-istio-remote-secret-token", "-o", "jsonpath={.data.token}")
	plain, err := base64.StdEncoding.DecodeString(token)
	if err != nil || len(plain) == 0 {
		t.Fatalf("the token is %q (%v)", token, err)
	}
	secret := dryRun(attach, "--dry-run=client", "-o", "yaml", "--only-cluster", "cluster1", "--secrets=plain")
	mustContain(t, secret, "name: istio-remote-secret-cluster2")
	applyTo("cluster1", secret)
	lab.Kubectl(t, "cluster2", "-n", "istio-system", "wait", "--for=create", "--timeout=5m", "configmap/istio-ca-root-cert")
	for _, injector := range []string{"istio-sidecar-injector", "istio-revision-tag-default"} {
		lab.Kubectl(t, "cluster2", "wait", "--for=jsonpath={.webhooks[0].clientConfig.caBundle}", "--timeout=5m", "mutatingwebhookconfiguration/"+injector)
	}
	mustContain(t, lab.MustMesh(t, attach...).Stdout, "Already attached to cluster1: cluster2. Nothing was written.")
	healthy(t, lab, "cluster2")

	// Unless it is asked for, no credential is shown, also when it is there.
	for _, show := range [][]string{{"--dry-run=client", "-o", "yaml", "--only-cluster", "cluster1"}, {"--dry-run=server", "-o", "json", "--only-cluster", "cluster2"},
		{"-o", "yaml", "--only-cluster", "cluster2"}, {"--show-diff"}} {
		r := lab.MustMesh(t, append(slices.Clip(attach), show...)...)
		if out := r.Stdout + r.Stderr; strings.Contains(out, token) || strings.Contains(out, string(plain)) || strings.Contains(out, "kind: Config\n") {
			t.Errorf("%v shows a token", show)
		}
	}
}
