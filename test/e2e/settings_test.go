package e2e

import (
	"strings"
	"testing"
)

// What a run is told holds until a later one is told otherwise: leaving a flag out reverts nothing, and says so.
func TestSettingsAreKept(t *testing.T) {
	lab := clusters(t, 1, 1)
	kept := func(t *testing.T, cluster string, args ...string) {
		t.Helper()
		all := []string{"cluster1", "cluster2"}
		before := versions(t, lab, all...)
		r := lab.MustMesh(t, args...)
		mustContain(t, strings.ToLower(r.Stdout), "nothing was written")
		mustContain(t, r.Stderr, cluster+": keeping the settings of the last run: ", "--reset-settings goes back to the defaults")
		mustBeUnwritten(t, before, versions(t, lab, all...))
	}
	install := []string{"install-primary", "--context", "cluster1"}
	env := func(t *testing.T) string {
		t.Helper()
		return lab.Kubectl(t, "cluster1", "-n", "istio-system", "get", "deployment", "istiod", "-o", "jsonpath={.spec.template.spec.containers[0].env[*].name}")
	}

	lab.MustMesh(t, append(install, "--network", "network1", "-f", lab.Overlay, "--set", "values.pilot.env.MINE=1", "--set", "meshConfig.trustDomain=shop.example")...)
	mustContain(t, env(t), "MINE", "PILOT_ENABLE_ALPN_FILTER")
	for _, validator := range []string{"istio-validator-istio-system", "istiod-default-validator"} { // istiod's own write
		lab.Kubectl(t, "cluster1", "wait", "--for=jsonpath={.webhooks[0].failurePolicy}=Fail", "--timeout=1m", "validatingwebhookconfiguration/"+validator)
	}
	kept(t, "cluster1", install...)

	// What is told besides is added, and what would be reverted without the record is not.
	diff := lab.Mesh(t, append(install, "--set", "values.pilot.env.OTHER=2", "--show-diff")...)
	mustContain(t, diff.Stdout, "name: OTHER", "+        - name: OTHER")
	mustContain(t, diff.Stderr, "--set values.pilot.env.MINE, --set meshConfig.trustDomain.", "-f values.telemetry.enabled")
	for line := range strings.Lines(diff.Stdout) {
		if strings.HasPrefix(line, "-") && (strings.Contains(line, "MINE") || strings.Contains(line, "shop.example")) {
			t.Errorf("it would revert %s", line)
		}
	}

	lab.MustMesh(t, "expose-istiod", "--context", "cluster1", "-f", lab.Overlay)
	kept(t, "cluster1", "expose-istiod", "--context", "cluster1")

	attach := []string{"attach-remote", "cluster2", "--context", "cluster1"}
	lab.MustMesh(t, append(attach, "--set", "values.sidecarInjectorWebhook.reinvocationPolicy=IfNeeded")...)
	kept(t, "cluster2", attach...)
	policies := lab.Kubectl(t, "cluster2", "get", "mutatingwebhookconfigurations", "-o", "jsonpath={.items[*].webhooks[*].reinvocationPolicy}")
	mustContain(t, policies, "IfNeeded")

	// The way back is said, and the next run keeps that.
	r := lab.MustMesh(t, append(install, "--reset-settings", "-f", lab.Overlay)...)
	if strings.Contains(r.Stderr, "keeping") {
		t.Errorf("it keeps settings: %s", r.Stderr)
	}
	if now := env(t); strings.Contains(now, "MINE") {
		t.Errorf("istiod still has the setting: %s", now)
	}
	kept(t, "cluster1", install...)
	r = lab.MustMesh(t, append(attach, "--reset-settings")...)
	if now := lab.Kubectl(t, "cluster2", "get", "mutatingwebhookconfigurations", "-o", "jsonpath={.items[*].webhooks[*].reinvocationPolicy}"); strings.Contains(now, "IfNeeded") {
		t.Errorf("the webhooks still have the setting: %s\n%s", now, r.Stderr)
	}
}
