package check

import (
	"slices"
	"strings"

	"github.com/kubectl-mesh/kubectl-mesh/pkg/istio/wellknown"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/mesh"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/snapshot"
)

func injection(v view) []Result {
	return v.each(func(c mesh.Cluster, seen *snapshot.Cluster) []Result {
		if r := blind(seen, snapshot.InjectionPart); r != nil {
			return r
		}
		switch {
		case seen.Injection == nil:
			return skip("needs revision-mismatch")
		case seen.Injection.Error == "":
			return pass("a dry-run pod gets its sidecar")
		}
		if need := v.shutOut(c, snapshot.ToWebhook); need != "" {
			return skip("needs " + need)
		}
		fix := v.attachOver(c)
		if unanswered(seen.Injection.Error) {
			fix = advice("let the API server of %s reach the gateway's port %d (firewalls, security groups)", c.Name, v.webhookPort())
		}
		if c.Role == mesh.Primary {
			fix = v.lookThere(c, "logs", "deployment/"+v.istiod())
		}
		return fail(fix, "a dry-run pod gets no sidecar: %s", seen.Injection.Error)
	})
}

// webhookPort is the gateway's port that API servers of remotes call.
func (v view) webhookPort() int32 {
	seen := v.snapshot.Clusters[v.thePrimary().Name]
	if seen == nil {
		return snapshot.Gateway{}.WebhookPort("")
	}
	gateway, _ := seen.Gateway(wellknown.EastWestGateway)
	if !isHostname(gateway.Address) {
		return gateway.WebhookPort("")
	}
	return gateway.WebhookPort(v.mesh.Revision)
}

// unsupportedService is in the error of an API server that calls webhooks at endpoints, where the Service is an ExternalName.
const unsupportedService = "unsupported service type"

// unanswered is true for the error of an API server that has called a webhook and got no answer.
func unanswered(text string) bool {
	return slices.ContainsFunc([]string{"does not answer", "deadline exceeded", "i/o timeout", "connection refused", "no route to host"},
		func(part string) bool { return strings.Contains(text, part) })
}

// istiod is the name of the primary's Deployment, and of the Service.
func (v view) istiod() string {
	if v.mesh.Revision == "" {
		return "istiod"
	}
	return "istiod-" + v.mesh.Revision
}

func injectionNotReady(v view) []Result {
	return v.each(func(c mesh.Cluster, seen *snapshot.Cluster) []Result {
		if r := blind(seen, snapshot.UninjectedPods); r != nil {
			return r
		}
		if len(seen.UninjectedGateways) == 0 {
			return pass("every gateway pod was injected")
		}
		return fail(v.kubectlThere(c, append([]string{"delete", "pod"}, seen.UninjectedGateways...)...),
			"created before injection worked, with the placeholder image \"auto\": pod %s in %s", strings.Join(seen.UninjectedGateways, ", "), v.mesh.Namespace)
	})
}

func leftover(v view) []Result {
	primary, _ := v.mesh.Primary()
	return v.each(func(c mesh.Cluster, seen *snapshot.Cluster) []Result {
		if r := blind(seen, snapshot.Injectors); r != nil {
			return r
		}
		p := v.snapshot.Clusters[primary.Name]
		if p == nil || len(p.ControlPlanes) == 0 {
			return skip("needs no-istiod")
		}
		for _, i := range seen.Injectors {
			if _, served := p.ControlPlane(i.Revision); !served {
				return warn(v.kubectl(c, "delete", "mutatingwebhookconfiguration", i.Name),
					"MutatingWebhookConfiguration %s is of revision %s, which no istiod of the primary has: pods that ask for it fail to start", i.Name, i.Revision)
			}
		}
		return pass("no injector without an istiod")
	})
}

func meshID(v view) []Result {
	plane, found := v.plane()
	return v.remotes(func(c mesh.Cluster, seen *snapshot.Cluster) []Result {
		if r := blind(seen, snapshot.InstalledValues); r != nil {
			return r
		}
		installed, there := seen.Installed[v.mesh.RevisionLabel()]
		if !found || !there || installed.MeshID == "" || plane.MeshID == "" {
			return skip("no mesh id to compare")
		}
		if installed.MeshID != plane.MeshID {
			return fail(v.attachOver(c), "this cluster was installed with mesh id %q, the primary with %q", installed.MeshID, plane.MeshID)
		}
		return pass("%s", installed.MeshID)
	})
}

func mixedAmbient(v view) []Result {
	return v.each(func(c mesh.Cluster, seen *snapshot.Cluster) []Result {
		if r := blind(seen, snapshot.AmbientPart); r != nil {
			return r
		}
		if seen.Ambient {
			return warn(advice("keep to sidecars in this mesh, or leave the cluster out").and(v.look(c, "get", "daemonset", "-A", "-l", "app=ztunnel")),
				"ztunnel runs here: an ambient data plane is not supported in a primary-remote mesh")
		}
		return pass("sidecars only")
	})
}

func proxies(v view) []Result {
	return v.each(func(c mesh.Cluster, _ *snapshot.Cluster) []Result {
		plane, found := v.plane()
		if !found || len(plane.Replicas) == 0 {
			return skip("needs istiod-ready")
		}
		count := 0
		for _, replica := range plane.Replicas {
			for _, p := range replica.Proxies {
				if p.Cluster != c.Name {
					continue
				}
				count++
				pod, namespace, _ := strings.Cut(p.ID, ".")
				if p.Rejected != "" {
					return fail(v.istioctl(v.thePrimary(), "analyze", "-A"),
						"the sidecar of %s in %s refuses what %s sends: %s", pod, namespace, replica.Pod, p.Rejected)
				}
				if a, b := minor(p.Version), minor(replica.Version); a != "" && b != "" && a != b {
					return warn(v.kubectl(c, "-n", namespace, "rollout", "restart", "deployment"),
						"the sidecar of %s in %s is of release %s, %s of %s", pod, namespace, p.Version, replica.Pod, replica.Version)
				}
			}
		}
		return pass("%d connected", count)
	})
}

// attachUnknown is for a cluster of which a proxy alone tells, whatever name that gives.
func (v view) attachUnknown(name string) Fix {
	fix := advice("attach that cluster, or remove Istio from it")
	if mesh.ValidateClusterName(name) != nil {
		return fix
	}
	return fix.and(v.ourselves(BeforeAttach, name+"=CONTEXT").fill("CONTEXT"))
}

func unknownCluster(v view) []Result {
	return v.primary(func(mesh.Cluster, *snapshot.Cluster) []Result {
		plane, found := v.plane()
		if !found || len(plane.Replicas) == 0 {
			return skip("needs istiod-ready")
		}
		for _, replica := range plane.Replicas {
			known := func(name string) bool {
				return slices.ContainsFunc(replica.Clusters, func(c snapshot.SyncedRemote) bool { return c.ID == name }) ||
					slices.ContainsFunc(v.mesh.Clusters, func(c mesh.Cluster) bool { return c.Name == name }) // not-synced tells of it
			}
			for _, p := range replica.Proxies {
				if p.Cluster != "" && !known(p.Cluster) {
					return fail(v.attachUnknown(p.Cluster), "proxy %s says that it is in cluster %q, which %s does not know", p.ID, p.Cluster, replica.Pod)
				}
			}
		}
		return pass("every proxy is of a known cluster")
	})
}
