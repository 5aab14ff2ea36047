package check

import (
	"slices"
	"strings"

	"github.com/kubectl-mesh/kubectl-mesh/pkg/mesh"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/snapshot"
)

func permissionCheck() Check {
	return Check{
		ID: "permission", Subject: OfCluster, Category: Clusters,
		Title:  "the user may do what the command does",
		Before: []string{BeforeInstall, BeforeExpose, BeforeAttach}, Preflight: true,
		Needs: []string{"reachable"},
		Why: `The command will need permissions that you do not have in this cluster. It would stop half-way, so it asks the API
			server first (SelfSubjectAccessReview) and does not begin.`,
		Fix:   `Ask an administrator of the cluster for what is named. docs/security.md lists what each command needs.`,
		judge: permission,
	}
}

func permission(v view) []Result {
	return v.eachCluster(func(c mesh.Cluster, seen *snapshot.Cluster) []Result {
		if r := unreadable(seen, snapshot.Permissions); r != nil {
			return r
		}
		denied := slices.DeleteFunc(slices.Clone(seen.Denied), func(p snapshot.Permission) bool {
			// A user who may write in Istio's namespace only needs no permission to create it where it is there.
			return seen.Namespace != nil && p.Verb == "create" && p.Resource == "namespaces"
		})
		if len(denied) == 0 {
			return pass("all granted")
		}
		return fail(advice("ask an administrator of the cluster for these permissions").and(v.inspect(c, "auth", "can-i", "--list")),
			"you may not %s", describe(denied))
	})
}

// describe names permissions, those of the same verbs and namespace together.
func describe(permissions []snapshot.Permission) string {
	type object struct{ namespace, resource string }
	var objects []object
	verbs := map[object][]string{}
	for _, p := range permissions {
		o := object{p.Namespace, p.Resource}
		if p.Group != "" {
			o.resource += "." + p.Group
		}
		if p.Name != "" {
			o.resource += "/" + p.Name
		}
		if verbs[o] == nil {
			objects = append(objects, o)
		}
		verbs[o] = append(verbs[o], p.Verb)
	}
	var groups []string
	resources := map[string][]string{}
	for _, o := range objects {
		where := " in the whole cluster"
		if o.namespace != "" {
			where = " in namespace " + o.namespace
		}
		group := strings.Join(verbs[o], " or ") + where
		if resources[group] == nil {
			groups = append(groups, group)
		}
		resources[group] = append(resources[group], o.resource)
	}
	for i, group := range groups {
		groups[i] = group + ": " + strings.Join(resources[group], ", ")
	}
	return strings.Join(groups, "; ")
}
