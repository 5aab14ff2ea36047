package check

import (
	"slices"

	"github.com/kubectl-mesh/kubectl-mesh/pkg/command"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/mesh"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/snapshot"
)

func serviceAsymmetricCheck() Check {
	return Check{
		ID: "service-asymmetric", Subject: OfCluster, Category: Network,
		Title:    "namespaces in several clusters have the same Services",
		Severity: Warn, Verify: true,
		Needs: []string{"reachable"},
		Why: `A namespace asks for sidecars in two clusters, but one of them lacks a Service that the other has. A client looks the
			name up in the DNS of its own cluster and finds nothing, although istiod has the endpoints (#31760, #17087).`,
		Fix:   `Create the Service in every cluster that has clients of it; it needs no pods there.`,
		judge: serviceAsymmetric,
	}
}

// serviceAsymmetric: in a namespace that asks for sidecars in two clusters, both know the same Services. A client finds
// a Service by the DNS of its own cluster.
func serviceAsymmetric(v view) []Result {
	return v.eachCluster(func(c mesh.Cluster, seen *snapshot.Cluster) []Result {
		if r := unreadable(seen, snapshot.InjectedNamespaces); r != nil {
			return r
		}
		for _, other := range v.mesh.Clusters {
			theirs := v.snapshot.Clusters[other.Name]
			if other.Name == c.Name || theirs == nil {
				continue
			}
			for _, namespace := range seen.Injected {
				// In Istio's own, primary and remote differ on purpose.
				if namespace == v.mesh.Namespace || !slices.Contains(theirs.Injected, namespace) {
					continue
				}
				for _, service := range theirs.Services[namespace] {
					if !slices.Contains(seen.Services[namespace], service) {
						headless := slices.Contains(theirs.Headless, namespace+"/"+service)
						return warn(v.copyService(other, c, namespace, service, headless),
							"Service %s in %s is in %s and not here, where the namespace asks for sidecars too: clients here can't resolve its name", service, namespace, other.Name)
					}
				}
			}
		}
		return pass("namespaces shared with others have the same Services")
	})
}

// copyService makes a Service of one cluster in another, without what the first one's API server has given it.
func (v view) copyService(from, to mesh.Cluster, namespace, service string, headless bool) Fix {
	patch := `{"metadata":{"resourceVersion":null,"uid":null},"spec":{"clusterIP":null,"clusterIPs":null}}`
	if headless { // None is no address
		patch = `{"metadata":{"resourceVersion":null,"uid":null}}`
	}
	local := Fix{Commands: []command.Command{{Argv: []string{"kubectl", "patch", "--local", "-f", "-", "--type=merge", "-p", patch, "-o", "yaml"}}}}
	return v.kubectl(from, "-n", namespace, "get", "service", service, "-o", "yaml").pipe(local).pipe(v.kubectl(to, "create", "-f", "-"))
}

func serviceInconsistentCheck() Check {
	return Check{
		ID: "service-inconsistent", Subject: OfCluster, Category: Network,
		Title:    "a Service is the same in all clusters",
		Severity: Warn, Verify: true,
		Needs: []string{"reachable"},
		Why: `Services of one name and namespace are one Service to the mesh, but they are not the same in two clusters: other
			ports, another type, or one is headless. istiod takes the ports and the type of one of them for all, so clients may
			call a port that half of the endpoints do not have. Istio's own analyzer says so (IST0170); only namespaces that ask
			for sidecars are looked at, and Istio's own is not.`,
		Fix:   `Make them alike. The result shows the commands that print both.`,
		judge: serviceInconsistent,
	}
}

// serviceInconsistent: Services of one name are one Service to istiod, which takes its ports from one cluster.
func serviceInconsistent(v view) []Result {
	return v.eachRead(func(c mesh.Cluster, seen *snapshot.Cluster) []Result {
		if r := unreadable(seen, snapshot.InjectedNamespaces); r != nil {
			return r
		}
		messages := messagesAbout(seen, "Service")
		if len(messages) > 0 {
			m := messages[0]
			fix := advice("make them alike")
			for _, one := range v.mesh.Clusters {
				if slices.Contains(m.Clusters, one.Name) {
					fix = fix.and(v.inspect(one, "-n", m.Namespace, "get", "service", m.Name, "-o", "yaml"))
				}
			}
			return warn(fix, "%s: %s%s", m.Code, m.Text, andMore(messages))
		}
		for _, other := range v.mesh.Clusters {
			if other.Name == c.Name {
				break // those that come after it are compared with it
			}
			if theirs := v.snapshot.Clusters[other.Name]; theirs != nil && unreadable(theirs, snapshot.InjectedNamespaces) == nil {
				return pass("Services of one name are alike where they are in several clusters")
			}
		}
		return skip("there are no Services of another cluster to compare with")
	})
}
