package report

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"text/template"

	"github.com/mitchellh/go-wordwrap"

	"github.com/kubectl-mesh/kubectl-mesh/pkg/check"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/internal/golden"
)

// provedBy names, for a check's id, the test in test/faults that breaks just that on real clusters.
func provedBy() map[string]string {
	return map[string]string{
		"reachable":           "TestFaults/clusters/an_API_server_that_hangs",
		"same-cluster":        "TestFaults/clusters/one_cluster_under_two_contexts",
		"no-istiod":           "TestFaults/beginnings/nothing_is_installed",
		"external-off":        "TestFaults/control-plane/istiod_may_not_manage_remotes",
		"name-default":        "TestFaults/control-plane/a_primary_without_a_name",
		"istiod-ready":        "TestFaults/control-plane/no_istiod_runs",
		"version-skew":        "TestFaults/control-plane/an_istiod_of_another_release",
		"address-pending":     "TestFaults/gateway/no_gateway",
		"gateway-ready":       "TestFaults/gateway/no_gateway_pod_runs",
		"not-exposed":         "TestFaults/gateway/istiod_is_not_published",
		"gateway-policy":      "TestFaults/late/a_policy_that_allows_nothing_in_Istio's_namespace",
		"address-empty":       "TestFaults/late/installed_without_istiod's_address",
		"annotation-late":     "TestFaults/late/annotated_after_istiod_was_told_of_the_cluster",
		"own-control-plane":   "TestFaults/control-plane/a_remote_with_an_istiod_of_its_own",
		"secret-missing":      "TestFaults/credentials/no_remote_secret",
		"secret-localhost":    "TestFaults/credentials/the_address_of_the_caller's_own_machine",
		"secret-malformed":    "TestFaults/credentials/not_a_kubeconfig",
		"name-duplicate":      "TestFaults/credentials/two_secrets_of_one_cluster",
		"annotation-missing":  "TestFaults/control-plane/no_annotation",
		"network-unconnected": "TestFaults/clusters/a_network_that_nothing_connects",
		"network-label":       "TestFaults/clusters/a_remote_without_its_network",
		"revision-mismatch":   "TestFaults/injection/no_injector",
		"name-mismatch":       "TestFaults/injection/an_injector_that_names_another_cluster",
		"slice-missing":       "TestFaults/gateway/no_Service_istiod",
		"token-missing":       "TestFaults/credentials/a_token_that_was_revoked",
		"secret-stale":        "TestFaults/credentials/the_secret_of_a_cluster_that_is_gone",
		"secret-unreachable":  "TestFaults/credentials/an_address_at_which_nobody_answers",
		"secret-ca":           "TestFaults/credentials/another_cluster's_CA",
		"token-expired":       "TestFaults/credentials/a_token_that_was_never_given",
		"reader-rbac":         "TestFaults/credentials/istiod_may_not_read_configmaps",
		"sync-partial":        "TestFaults/control-plane/a_replica_that_could_not_read_the_remote",
		"not-synced":          "TestFaults/control-plane/an_istiod_that_can't_reach_the_remote",
		"cabundle-empty":      "TestFaults/injection/istiod_gave_up_on_a_webhook",
		"root-cm-missing":     "TestFaults/proxies/istiod_gave_up_on_the_root_certificate",
		"roots-differ":        "TestFaults/proxies/another_root_certificate",
		"address-hostname":    "TestFaults/beginnings/a_hostname_that_istiod_does_not_have",
		"secret-namespace":    "TestFaults/credentials/a_secret_where_istiod_does_not_look",
		"mesh-id":             "TestFaults/control-plane/a_remote_of_another_mesh",
		"network-overlap":     "TestFaults/clusters/pods_with_the_same_addresses",
		"firewall":            "TestFaults/gateway/istiod's_port_is_dropped",
		"gateway-trust":       "TestFaults/proxies/somebody_else_answers_at_the_gateway",
		"injection":           "TestFaults/injection/a_webhook_that_is_not_called",
		"injection-not-ready": "TestFaults/injection/a_gateway_that_came_too_early",
		"proxies":             "TestFaults/proxies/a_sidecar_that_refuses_its_configuration",
		"unknown-cluster":     "TestFaults/proxies/a_cluster_detached_while_its_pods_run_on",
		"service-asymmetric":  "TestFaults/clusters/a_Service_in_one_cluster_only",
		"leftover":            "TestFaults/injection/an_injector_of_a_revision_that_is_gone",
		"mixed-ambient":       "TestFaults/proxies/an_ambient_data_plane",
		"clock-skew":          "TestFaults/clusters/a_clock_that_is_late",
		"probe-ready":         "TestFaults/traffic/a_policy_that_admits_no_probe",
		"traffic":             "TestFaults/traffic/a_policy_that_denies_a_cluster's_calls",
		"spread":              "TestFaults/traffic/a_rule_that_keeps_calls_at_home",
	}
}

type documented struct {
	check.Check
	Asked, Proof string
}

type documentedCategory struct {
	Anchor check.Category
	Checks []documented
}

// docs/checks.md is made of the checks' own data, so that neither says what the other does not.
func TestDocs(t *testing.T) {
	t.Parallel()
	var page struct {
		Categories []documentedCategory
		Sample     string
	}
	for _, category := range check.Categories() {
		c := documentedCategory{Anchor: category}
		for _, one := range (check.Choice{Categories: []string{string(category)}}).Of(check.All()) {
			d := documented{Check: one, Asked: AskedBy(one)}
			if test := provedBy()[one.ID]; test != "" {
				d.Proof = "`" + test + "`"
			}
			c.Checks = append(c.Checks, d)
		}
		page.Categories = append(page.Categories, c)
	}
	var sample strings.Builder
	if err := JSON(&sample, map[string]any{"results": results()[3:6]}); err != nil {
		t.Fatal(err)
	}
	page.Sample = sample.String()
	var text strings.Builder
	if err := template.Must(template.ParseFiles("testdata/checks.md.tmpl")).Execute(&text, page); err != nil {
		t.Fatal(err)
	}
	markdown := wrapped(text.String())
	golden.Equal(t, "../../../docs/checks.md", markdown)

	anchors := map[string]bool{}
	for line := range strings.Lines(markdown) {
		if heading, is := strings.CutPrefix(strings.TrimLeft(line, "#"), " "); is && strings.HasPrefix(line, "#") {
			anchor := anchorOf(heading)
			if anchors[anchor] {
				t.Errorf("two headings have the anchor %s, so that one of them can't be reached", anchor)
			}
			anchors[anchor] = true
		}
	}
	for _, link := range regexp.MustCompile(`\]\(#([^)]+)\)`).FindAllStringSubmatch(markdown, -1) {
		if !anchors[link[1]] {
			t.Errorf("a link leads to #%s, which there is not", link[1])
		}
	}
	for _, c := range check.All() {
		if !anchors[c.ID] {
			t.Errorf("%s has no section", c.ID)
		}
	}
}

// anchorOf is what GitHub makes of a heading.
func anchorOf(heading string) string {
	kept := regexp.MustCompile(`[^a-z0-9 _-]`).ReplaceAllString(strings.ToLower(strings.TrimSpace(heading)), "")
	return strings.ReplaceAll(kept, " ", "-")
}

var istiosIssue = regexp.MustCompile(`#(\d{4,})`)

// wrapped breaks the paragraphs that the checks' texts make, which are one line each, as the rest of the page is,
// and makes links of the issues that they name.
func wrapped(text string) string {
	var lines []string
	for line := range strings.SplitSeq(text, "\n") {
		if strings.HasPrefix(line, "**") {
			line = istiosIssue.ReplaceAllString(line, "[#$1](https://github.com/istio/istio/issues/$1)")
			line = wordwrap.WrapString(line, 119)
		}
		lines = append(lines, line)
	}
	return strings.Join(lines, "\n")
}

// What is said to be proved by a test must be a test that there is, and that begins with what the check tells.
func TestProofsExist(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("../../test/faults/*_test.go")
	if err != nil {
		t.Fatal(err)
	}
	var tests strings.Builder
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		tests.Write(text)
	}
	for id, test := range provedBy() {
		if _, err := check.Find(id); err != nil {
			t.Errorf("%s is said to be proved: %v", id, err)
		}
		// A fault is TestFaults/GROUP/NAME, where go test writes _ for a space.
		parts := strings.Split(strings.ReplaceAll(test, "_", " "), "/")
		if len(parts) != 3 || parts[0] != "TestFaults" || !strings.Contains(tests.String(), `{"`+parts[1]+`", `) && !strings.Contains(tests.String(), `t.Run("`+parts[1]+`", `) {
			t.Errorf("%s is said to be proved by %s, which is no group of faults in test/faults", id, test)
			continue
		}
		fault := `name: "` + regexp.QuoteMeta(parts[2]) + `", tells: \[\]string{"(fail|warn|unknown) ` + regexp.QuoteMeta(id) + ` `
		if !regexp.MustCompile(fault).MatchString(tests.String()) {
			t.Errorf("%s is said to be proved by %s, but no fault of that name in test/faults makes it tell anything", id, test)
		}
	}
}
