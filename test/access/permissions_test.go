package access

import (
	"cmp"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/kubectl-mesh/kubectl-mesh/test/labtest"
)

// job is a command, run by somebody who has the roles of some files in docs/rbac and nothing else.
type job struct {
	args            []string
	primary, remote []string
	// on is the primary's context, where it is not cluster1.
	on string
	// before is what an administrator does first, if anything.
	before func()
}

// Why grants are there that no request of the jobs uses.
const (
	overlay   = "the lab's overlay switches it off, Istio's default has it"
	upgrade   = "the API server asks for it itself when a GET upgrades, and older clients POST"
	renewal   = "credentials that istiod must take again"
	waiting   = "asked only of what is late"
	heldGrant = "held to be granted"
)

// unused are those grants.
func unused() map[string]string {
	return map[string]string{
		"install-primary: get horizontalpodautoscalers":    overlay,
		"install-primary: create horizontalpodautoscalers": overlay,
		"install-primary: patch horizontalpodautoscalers":  overlay,
		"install-primary: get poddisruptionbudgets":        overlay,
		"install-primary: create poddisruptionbudgets":     overlay,
		"install-primary: patch poddisruptionbudgets":      overlay,
		"expose-istiod: get secrets":                       heldGrant,
		"expose-istiod: watch secrets":                     heldGrant,
		"expose-istiod: list events":                       waiting,
		"attach-remote-primary: create pods/portforward":   upgrade,
		"attach-remote-primary: delete secrets":            renewal,
		"attach-remote-primary: update leases":             waiting,
		"attach-remote-primary: patch deployments":         renewal,
		"verify-primary: create pods/portforward":          upgrade,
		"verify-traffic: create pods/portforward":          upgrade,
	}
}

// sometimes is whether a request is made or not by what comes late in a run.
func sometimes(reason string) bool { return reason == waiting || reason == renewal }

// Every command does its main job with exactly the rules that docs/rbac has for it, and needs each of them.
func TestRolesAreEnough(t *testing.T) {
	lab := clusters(t)
	config, err := clientcmd.LoadFromFile(lab.Kubeconfig)
	if err != nil {
		t.Fatal(err)
	}
	server := config.Clusters[config.Contexts["cluster2"].Cluster].Server
	onPrimary, onRemote := record(t, config, "cluster1"), record(t, config, "cluster2")
	narrow := *lab
	narrow.Kubeconfig = filepath.Join(t.TempDir(), "config")
	if err := clientcmd.WriteToFile(*config, narrow.Kubeconfig); err != nil {
		t.Fatal(err)
	}
	for _, cluster := range []string{"cluster1", "cluster2"} {
		lab.Kubectl(t, cluster, "create", "namespace", "istio-system")
	}

	install := []string{"install-primary", "--network", "network1", "-f", lab.Overlay}
	expose := []string{"expose-istiod", "-f", lab.Overlay}
	attach := []string{"attach-remote", "cluster2", "--remote-server", server}
	convert := slices.Concat(install, []string{"--convert-remote", "cluster2", "--wait=false"})
	jobs := []job{
		{args: []string{"preflight", "cluster2", "--remote-server", server, "--skip", "permission"}, primary: []string{"preflight"}, remote: []string{"preflight"}},
		{args: slices.Concat(install, []string{"--dry-run=server"}), primary: []string{"install-primary", "istio-by-name"}},
		{args: install, primary: []string{"install-primary", "istio-in-primary"}},
		{args: expose, primary: []string{"expose-istiod"}},
		{args: attach, primary: []string{"attach-remote-primary"}, remote: []string{"attach-remote-remote", "istio-in-remote"}},
		{args: []string{"verify", "cluster2"}, primary: []string{"verify-primary"}, remote: []string{"verify-remote"}},
		{args: []string{"status", "cluster2"}, primary: []string{"verify-primary"}, remote: []string{"verify-remote"}},
		{args: []string{"graph", "cluster2"}, primary: []string{"verify-primary"}, remote: []string{"verify-remote"}},
		{
			args:    []string{"verify", "cluster2", "--traffic", "--probe-image", labtest.ProbeImage},
			primary: []string{"verify-primary", "verify-traffic", "verify-traffic-primary"}, remote: []string{"verify-remote", "verify-traffic"},
		},
		// Again, with all of it there to be looked at.
		{args: install, primary: []string{"install-primary", "istio-in-primary"}},
		{args: expose, primary: []string{"expose-istiod"}, before: func() {
			// As where another tool has installed the primary.
			lab.Kubectl(t, "cluster1", "label", "namespace", "istio-system", "topology.istio.io/network-")
		}},
		{args: attach, primary: []string{"attach-remote-primary"}, remote: []string{"attach-remote-remote", "istio-in-remote"}},
	}
	last := job{args: convert, remote: []string{"install-primary", "istio-in-primary", "convert-remote"}, on: "cluster2"}
	assign(t, lab, "cluster1", "ungranted", []string{"install-primary"})
	r := narrow.Mesh(t, append(slices.Clone(install), "--dry-run=server", "--context", "cluster1", "--as", "jane", "--as-group", "ungranted")...)
	if r.Code != 1 {
		t.Errorf("who does not hold what istiod is granted ends with exit code %d, not 1", r.Code)
	}
	mustContain(t, r.Stderr, "ClusterRole/istiod-clusterrole-istio-system: ", "not currently held", "escalate and bind")

	used := map[string]bool{}
	does := func(j job) bool {
		name := strings.Join(append([]string{j.args[0]}, j.primary...), " ")
		return t.Run(name, func(t *testing.T) {
			group := strings.ReplaceAll(name, " ", "-")
			assign(t, lab, "cluster1", group, j.primary)
			assign(t, lab, "cluster2", group, j.remote)
			if j.before != nil {
				j.before()
			}
			onPrimary.forget()
			onRemote.forget()
			r := narrow.Mesh(t, append(slices.Clone(j.args), "--context", cmp.Or(j.on, "cluster1"), "--as", "jane", "--as-group", group)...)
			if r.Code != 0 {
				t.Fatalf("exit code %d\n%s%s", r.Code, r.Stdout, r.Stderr)
			}
			for _, side := range []struct {
				recorded *recorder
				files    []string
			}{{onPrimary, j.primary}, {onRemote, j.remote}} {
				if side.recorded.refused != nil {
					t.Errorf("was asked in vain: %s", side.recorded.refused)
				}
				for _, g := range needed(t, side.files, side.recorded.asked) {
					used[g.String()] = true
				}
			}
		})
	}
	for _, j := range jobs {
		if !does(j) {
			return // the others need what this one was to make
		}
	}
	t.Run("without all Secrets", func(t *testing.T) { withoutAllSecrets(t, lab, &narrow) })
	does(last) // after which there is no remote

	reasons := unused()
	for _, j := range append(jobs, last) {
		for _, g := range grantsOf(t, slices.Concat(j.primary, j.remote)...) {
			switch excepted := reasons[g.String()] != ""; {
			case strings.HasPrefix(g.file, "istio-"): // what is granted on
			case !used[g.String()] && !excepted:
				t.Errorf("nothing needs this: %s", g)
			case used[g.String()] && excepted && !sometimes(reasons[g.String()]):
				t.Errorf("is needed, and stands among the exceptions: %s", g)
			}
		}
	}
}

// withoutAllSecrets leaves out what verify-primary.yaml says may be left out, and the check that goes with it.
func withoutAllSecrets(t *testing.T, lab, narrow *labtest.Lab) {
	t.Helper()
	const group = "no-secrets"
	for cluster, file := range map[string]string{"cluster1": "verify-primary", "cluster2": "verify-remote"} {
		assign(t, lab, cluster, group, []string{file})
		role := group + "-" + file
		at := slices.IndexFunc(grantsIn(t, lab, cluster, role), func(rule rbacv1.PolicyRule) bool { return slices.Equal(rule.Resources, []string{"secrets"}) })
		lab.Kubectl(t, cluster, "patch", "clusterrole", role, "--type=json", fmt.Sprintf(`-p=[{"op":"remove","path":"/rules/%d"}]`, at))
	}
	for code, more := range map[int][]string{3: nil, 0: {"--skip", "secret-namespace"}} {
		args := append([]string{"verify", "cluster2", "--context", "cluster1", "--as", "jane", "--as-group", group}, more...)
		if r := narrow.Mesh(t, args...); r.Code != code {
			t.Errorf("with %v the exit code is %d, not %d\n%s%s", more, r.Code, code, r.Stdout, r.Stderr)
		}
	}
}

// grantsIn are the rules of a ClusterRole.
func grantsIn(t *testing.T, lab *labtest.Lab, cluster, role string) []rbacv1.PolicyRule {
	t.Helper()
	var found rbacv1.ClusterRole
	if err := json.Unmarshal([]byte(lab.Kubectl(t, cluster, "get", "clusterrole", role, "-o", "json")), &found); err != nil {
		t.Fatal(err)
	}
	return found.Rules
}

// forget begins a new record.
func (r *recorder) forget() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.asked, r.refused = nil, nil
}

// needed are the grants of some files without which a request would have been refused.
func needed(t *testing.T, files []string, requests []asked) []grant {
	t.Helper()
	grants := grantsOf(t, slices.DeleteFunc(slices.Clone(files), func(file string) bool { return strings.HasPrefix(file, "istio-") })...)
	var found []grant
	for i, g := range grants {
		others := slices.Delete(slices.Clone(grants), i, i+1)
		if slices.ContainsFunc(requests, func(a asked) bool { return allow(grants, a) && !allow(others, a) }) {
			found = append(found, g)
		}
	}
	return found
}

// assign gives a group the roles of files in docs/rbac, as they are there but for the group's name.
func assign(t *testing.T, lab *labtest.Lab, cluster, group string, files []string) {
	t.Helper()
	if files == nil {
		return
	}
	var manifests []string
	for _, file := range files {
		// Bindings of one name would be one binding: each group has its own.
		own := strings.ReplaceAll(text(t, file), operators, group)
		manifests = append(manifests, strings.ReplaceAll(own, "name: kubectl-mesh-", "name: "+group+"-"))
	}
	path := filepath.Join(t.TempDir(), "roles.yaml")
	if err := os.WriteFile(path, []byte(strings.Join(manifests, "")), 0o600); err != nil {
		t.Fatal(err)
	}
	lab.Kubectl(t, cluster, "apply", "-f", path)
}
