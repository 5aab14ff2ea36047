package istio

import (
	"path/filepath"
	"strings"
	"testing"

	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/component-helpers/auth/rbac/validation"
	"sigs.k8s.io/yaml"

	"github.com/kubectl-mesh/kubectl-mesh/pkg/internal/golden"
)

// grantsHead is what stands above the rules that Istio's own roles grant; its commands are install-primary's and so on.
const grantsHead = `# Made of Istio's charts; do not edit: go test ./pkg/istio -update
# What Istio's own roles in the CLUSTER grant. Kubernetes lets nobody grant what they do not hold themselves, so who runs
# ` + "`kubectl mesh COMMAND`" + ` needs all of this, or the verbs escalate and bind on these roles. See ../security.md.
`

// Who installs Istio must hold what its roles grant: docs/rbac has that, for each kind of cluster.
func TestGrants(t *testing.T) {
	t.Parallel()
	primary := func(revision string) ([]*unstructured.Unstructured, error) {
		return Charts{}.Primary(Primary{
			Namespace: "istio-system", Revision: revision, MeshID: "mesh1", Cluster: "east", Network: "network1", Profile: "default",
		})
	}
	remote := func(revision string) ([]*unstructured.Unstructured, error) {
		return Charts{}.Remote(RemoteCluster{
			Namespace: "istio-system", Revision: revision, MeshID: "mesh1", Cluster: "west", Network: "network1", Address: "192.0.2.1",
		})
	}
	for _, c := range []struct {
		cluster, command string
		render           func(revision string) ([]*unstructured.Unstructured, error)
	}{{"primary", "install-primary", primary}, {"remote", "attach-remote", remote}} {
		t.Run(c.cluster, func(t *testing.T) {
			t.Parallel()
			objects, err := c.render("")
			if err != nil {
				t.Fatal(err)
			}
			name := "kubectl-mesh-istio-in-" + c.cluster
			held := rulesOf(t, objects)
			text := strings.NewReplacer("CLUSTER", c.cluster, "COMMAND", c.command).Replace(grantsHead)
			text += document(t, "ClusterRole", name, "", held[""]) + document(t, "Role", name, "istio-system", held["istio-system"])
			golden.Equal(t, filepath.Join("..", "..", "..", "docs", "rbac", "istio-in-"+c.cluster+".yaml"), strings.TrimPrefix(text, "---\n"))

			objects, err = c.render("canary")
			if err != nil {
				t.Fatal(err)
			}
			for namespace, rules := range rulesOf(t, objects) {
				if ok, beyond := validation.Covers(append(held[""], held[namespace]...), rules); !ok {
					t.Errorf("the roles of a revision grant more: %v", beyond)
				}
			}
		})
	}
}

// rulesOf are the rules of all roles among objects, by namespace.
func rulesOf(t *testing.T, objects []*unstructured.Unstructured) map[string][]rbacv1.PolicyRule {
	t.Helper()
	rules := map[string][]rbacv1.PolicyRule{}
	for _, o := range objects {
		if o.GetKind() != "ClusterRole" && o.GetKind() != "Role" {
			continue
		}
		var role rbacv1.Role // a ClusterRole's rules are in the same place
		if err := runtime.DefaultUnstructuredConverter.FromUnstructured(o.Object, &role); err != nil {
			t.Fatal(err)
		}
		rules[o.GetNamespace()] = append(rules[o.GetNamespace()], role.Rules...)
	}
	return rules
}

// document is a role with its binding, nothing where there are no rules.
func document(t *testing.T, kind, name, namespace string, rules []rbacv1.PolicyRule) string {
	t.Helper()
	if len(rules) == 0 {
		return ""
	}
	metadata := map[string]any{"name": name}
	if namespace != "" {
		metadata["namespace"] = namespace
	}
	text := ""
	for _, object := range []map[string]any{
		{"kind": kind, "rules": rules},
		{
			"kind":     kind + "Binding",
			"subjects": []any{map[string]any{"apiGroup": rbacv1.GroupName, "kind": "Group", "name": "mesh-operators"}},
			"roleRef":  map[string]any{"apiGroup": rbacv1.GroupName, "kind": kind, "name": name},
		},
	} {
		object["apiVersion"], object["metadata"] = rbacv1.SchemeGroupVersion.String(), metadata
		body, err := yaml.Marshal(object)
		if err != nil {
			t.Fatal(err)
		}
		text += "---\n" + string(body)
	}
	return text
}
