package access

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/apimachinery/pkg/util/yaml"
	"k8s.io/component-helpers/auth/rbac/validation"

	"github.com/kubectl-mesh/kubectl-mesh/pkg/plan"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/snapshot"
)

// operators is the group to which the files in docs/rbac bind their roles.
const operators = "mesh-operators"

// grant is one rule of a role in docs/rbac; it holds in one namespace, or in the whole cluster.
type grant struct {
	file, namespace string
	rule            rbacv1.PolicyRule
}

// String names a grant of one verb on one resource as the tables of exceptions do.
func (g grant) String() string {
	return fmt.Sprintf("%s: %s %s", g.file, strings.Join(g.rule.Verbs, ","), strings.Join(g.rule.Resources, ","))
}

// text is a file of docs/rbac.
func text(t *testing.T, file string) string {
	t.Helper()
	body, err := os.ReadFile(filepath.Join("..", "..", "docs", "rbac", file+".yaml"))
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}

// grantsOf are the rules of files in docs/rbac, each broken down to one verb on one resource.
func grantsOf(t *testing.T, files ...string) []grant {
	t.Helper()
	var grants []grant
	for _, file := range files {
		documents := yaml.NewYAMLOrJSONDecoder(bytes.NewReader([]byte(text(t, file))), 4096)
		for {
			var role rbacv1.Role // a ClusterRole's rules are in the same place
			if err := documents.Decode(&role); errors.Is(err, io.EOF) {
				break
			} else if err != nil {
				t.Fatalf("%s: %v", file, err)
			}
			for _, rule := range role.Rules {
				for _, one := range validation.BreakdownRule(rule) {
					grants = append(grants, grant{file, role.Namespace, one})
				}
			}
		}
	}
	return grants
}

// allow is true where the grants cover a request.
func allow(grants []grant, a asked) bool {
	var rules []rbacv1.PolicyRule
	for _, g := range grants {
		if g.namespace == "" || g.namespace == a.namespace {
			rules = append(rules, g.rule)
		}
	}
	covered, _ := validation.Covers(rules, []rbacv1.PolicyRule{a.rule})
	return covered
}

// What a command asks for before it writes is in its role.
func TestRolesHaveWhatIsAskedFor(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		stage           plan.Stage
		primary, remote string
	}{
		{plan.InstallPrimary, "install-primary", ""},
		{plan.ConvertRemote, "convert-remote", ""},
		{plan.ExposeIstiod, "expose-istiod", ""},
		{plan.AttachRemote, "attach-remote-primary", "attach-remote-remote"},
	} {
		primary, remote := plan.Permissions(c.stage, "istio-system")
		for file, permissions := range map[string][]snapshot.Permission{c.primary: primary, c.remote: remote} {
			if len(permissions) == 0 {
				continue
			}
			grants := grantsOf(t, file)
			for _, p := range permissions {
				if p.Verb == "create" && p.Resource == "namespaces" {
					continue // Istio's must be there before a role in it can be; then nobody asks to make it
				}
				a := asked{p.Namespace, rbacv1.PolicyRule{Verbs: []string{p.Verb}, APIGroups: []string{p.Group}, Resources: []string{p.Resource}}}
				if p.Resource == "namespaces" {
					a.namespace, a.rule.ResourceNames = p.Name, []string{p.Name} // as an authorizer sees a namespace
				}
				if !allow(grants, a) {
					t.Errorf("%s.yaml lacks %+v, for which %s asks", file, p, c.stage)
				}
			}
		}
	}
}
