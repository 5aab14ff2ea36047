package faults

import (
	"strings"
	"testing"

	"github.com/kubectl-mesh/kubectl-mesh/pkg/check"
)

// testedElsewhere are the checks without a fault in this package, with the tests on real clusters that make them fail; empty
// for those that only snapshots in pkg/check make fail.
func testedElsewhere() map[string]string {
	return map[string]string{
		"permission":            "test/access, test/e2e/preflight_test.go",
		"kubernetes-version":    "test/e2e/preflight_test.go",
		"namespace-terminating": "test/e2e/preflight_test.go",
		"primary-is-remote":     "test/e2e/identity_test.go",
		"adoptable":             "test/e2e/badinput_test.go",
		"other-primary":         "test/e2e/badinput_test.go",
		"address-ipv6":          "",
		"load-balancer":         "test/e2e/preflight_test.go",
		"secret-proxy":          "test/access/kubeconfig_test.go",
		"webhook-address":       "test/e2e/gateway_test.go",
		"pod-security":          "test/e2e/preflight_test.go",
		"service-inconsistent":  "",
		"registry-unknown":      "",
		"trust-domain":          "",
	}
}

func TestEveryCheckHasAFault(t *testing.T) {
	t.Parallel()
	faults := beginnings()
	for _, g := range groups() {
		faults = append(faults, g.faults...)
	}
	found := map[string]bool{}
	for _, f := range faults {
		found[strings.Fields(f.reports[0])[1]] = true
	}
	listed := testedElsewhere()
	for _, c := range check.All() {
		_, elsewhere := listed[c.ID]
		delete(listed, c.ID)
		switch {
		case !found[c.ID] && !elsewhere:
			t.Errorf("no fault makes %s report anything: add one, or say in testedElsewhere what tests it", c.ID)
		case found[c.ID] && elsewhere:
			t.Errorf("%s is in testedElsewhere, but has a fault here", c.ID)
		}
	}
	for id := range listed {
		t.Errorf("%s is in testedElsewhere, but is no check", id)
	}
}
