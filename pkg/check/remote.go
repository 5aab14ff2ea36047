package check

import (
	"fmt"
	"slices"
	"strings"

	"github.com/kubectl-mesh/kubectl-mesh/pkg/command"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/istio/wellknown"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/mesh"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/snapshot"
)

func secretLocalhost(v view) []Result {
	primary, _ := v.mesh.Primary()
	return v.remotes(func(c mesh.Cluster, seen *snapshot.Cluster) []Result {
		server := c.Server
		if server == "" {
			server = seen.Server
		}
		if v.command == "verify" {
			if p := v.snapshot.Clusters[primary.Name]; p != nil && blind(p, snapshot.RemoteSecretsPart) != nil {
				return skip("needs secret-malformed")
			}
			secret, found := v.secretOf(c.Name)
			if !found {
				return skip("needs secret-missing")
			}
			server = secret.Server
		}
		if !mesh.IsLocal(server) {
			return pass("%s", server)
		}
		if v.command == "verify" && hasContext(c) && !mesh.IsLocal(seen.Server) {
			return fail(v.attachOver(c), "the API server's address is %s, which in a pod of the primary means that pod itself", server)
		}
		return fail(advice("give the address that pods of %s reach it by (for kind: that of docker inspect -f '{{.NetworkSettings.Networks.kind.IPAddress}}' NODE, port 6443)", primary.Name).
			and(v.attach(c, "--remote-server", "https://ADDRESS:PORT").fill("ADDRESS:PORT")),
			"the API server's address is %s, which in a pod of the primary means that pod itself", server)
	})
}

// secretProxy: a remote secret takes nothing along of how the user's kubeconfig reaches the server.
func secretProxy(v view) []Result {
	primary, _ := v.mesh.Primary()
	return v.remotes(func(c mesh.Cluster, seen *snapshot.Cluster) []Result {
		switch {
		case seen.Proxy == "":
			return pass("the kubeconfig names none")
		case c.Server != "":
			return pass("the primary calls %s", c.Server)
		}
		return fail(advice("give the address by which pods of %s reach it, the same if they need no proxy", primary.Name).and(v.attach(c, "--remote-server", seen.Server)),
			"the kubeconfig reaches %s through the proxy %s, which istiod would not use", seen.Server, seen.Proxy)
	})
}

// secretOf is the remote secret that istiod uses for a cluster: the first by name.
func (v view) secretOf(cluster string) (snapshot.RemoteSecret, bool) {
	primary, _ := v.mesh.Primary()
	seen := v.snapshot.Clusters[primary.Name]
	if seen == nil {
		return snapshot.RemoteSecret{}, false
	}
	for _, s := range seen.RemoteSecrets {
		if s.Cluster == cluster {
			return s, true
		}
	}
	return snapshot.RemoteSecret{}, false
}

func secretMissing(v view) []Result {
	primary, _ := v.mesh.Primary()
	return v.remotes(func(c mesh.Cluster, _ *snapshot.Cluster) []Result {
		if p := v.snapshot.Clusters[primary.Name]; p == nil || blind(p, snapshot.RemoteSecretsPart) != nil {
			return skip("needs secret-malformed")
		}
		if secret, found := v.secretOf(c.Name); found {
			return pass("Secret %s", secret.Secret)
		}
		return fail(v.attach(c), "no remote secret in %s of the primary names this cluster: istiod does not know of it", v.mesh.Namespace)
	})
}

func secretMalformed(v view) []Result {
	primary, _ := v.mesh.Primary()
	return v.primary(func(_ mesh.Cluster, seen *snapshot.Cluster) []Result {
		if !answersHere(seen) {
			return skip("needs reachable")
		}
		if r := blind(seen, snapshot.RemoteSecretsPart); r != nil {
			return r
		}
		var results []Result
		for _, s := range seen.RemoteSecrets {
			if s.Error == "" {
				continue
			}
			fix := v.kubectlThere(primary, "delete", "secret", s.Secret)
			if i := slices.IndexFunc(v.mesh.Clusters, func(c mesh.Cluster) bool { return c.Name == s.Cluster && hasContext(c) }); i >= 0 {
				fix = fix.and(v.attach(v.mesh.Clusters[i]))
			}
			broken := fail(fix, "Secret %s in %s, key %s: %s", s.Secret, v.mesh.Namespace, s.Cluster, s.Error)
			broken[0].Cluster = s.Cluster
			results = append(results, broken...)
		}
		if results == nil {
			return pass("remote secrets: %d", len(seen.RemoteSecrets))
		}
		return results
	})
}

// attached asks about every remote. One that the primary has no credentials for lacks all else as well: secret-missing
// tells of it, and attaching it fixes it.
func (v view) attached(ask func(c mesh.Cluster, seen *snapshot.Cluster) []Result) []Result {
	primary, _ := v.mesh.Primary()
	p := v.snapshot.Clusters[primary.Name]
	return v.remotes(func(c mesh.Cluster, seen *snapshot.Cluster) []Result {
		results := ask(c, seen)
		if _, found := v.secretOf(c.Name); found || p == nil || blind(p, snapshot.RemoteSecretsPart) != nil {
			return results
		}
		for i := range results {
			if results[i].Status == Fail {
				results[i] = skip("needs secret-missing")[0]
			}
		}
		return results
	})
}

func annotationMissing(v view) []Result {
	primary, _ := v.mesh.Primary()
	return v.attached(func(c mesh.Cluster, seen *snapshot.Cluster) []Result {
		if r := blind(seen, snapshot.IstioNamespace); r != nil {
			return r
		}
		if primary.Name == "" {
			return skip("needs no-istiod") // only istiod knows the primary's name
		}
		has := ""
		if seen.Namespace != nil {
			has = seen.Namespace.ControlPlaneClusters
		}
		owners := strings.Split(has, ",")
		if slices.Contains(owners, primary.Name) || slices.Contains(owners, "*") {
			return pass("topology.istio.io/controlPlaneClusters=%s", has)
		}
		if has != "" { // attach-remote would not take a cluster from another primary
			return fail(v.kubectl(c, "annotate", "namespace", v.mesh.Namespace, wellknown.ControlPlaneClustersAnnotation+"-").and(v.attach(c)),
				"namespace %s says that this cluster belongs to primary %q, not %q (topology.istio.io/controlPlaneClusters); unless it was moved there on purpose, istiod is to lead here",
				v.mesh.Namespace, has, primary.Name)
		}
		return fail(v.attach(c),
			"namespace %s has no annotation topology.istio.io/controlPlaneClusters, expected %q: istiod does not lead here and patches no webhook",
			v.mesh.Namespace, primary.Name)
	})
}

// injectors are a remote's injectors of the mesh's revision.
func (v view) injectors(seen *snapshot.Cluster) []snapshot.Injector {
	var injectors []snapshot.Injector
	for _, i := range seen.Injectors {
		if i.Revision == v.mesh.RevisionLabel() {
			injectors = append(injectors, i)
		}
	}
	return injectors
}

func revisionMismatch(v view) []Result {
	return v.attached(func(c mesh.Cluster, seen *snapshot.Cluster) []Result {
		if r := blind(seen, snapshot.Injectors); r != nil {
			return r
		}
		if len(v.injectors(seen)) > 0 {
			return pass("revision %s", v.mesh.RevisionLabel())
		}
		var others []string
		for _, i := range seen.Injectors {
			others = append(others, i.Revision)
		}
		if len(others) == 0 {
			return fail(v.attach(c), "no injector webhook at all")
		}
		return fail(v.attachOver(c), "the injector webhooks are of revision %s, the primary's istiod of %s", strings.Join(others, ", "), v.mesh.RevisionLabel())
	})
}

func nameMismatch(v view) []Result {
	return v.attached(func(c mesh.Cluster, seen *snapshot.Cluster) []Result {
		if r := blind(seen, snapshot.Injectors); r != nil {
			return r
		}
		injectors := v.injectors(seen)
		for _, i := range injectors {
			for _, path := range i.Paths {
				if name := snapshot.ClusterOfPath(path); name != c.Name {
					return fail(v.attachOver(c), "MutatingWebhookConfiguration %s injects cluster %q (path %s), but the remote secret's key is %q: istiod would refuse the pods",
						i.Name, name, path, c.Name)
				}
			}
		}
		if len(injectors) == 0 {
			return skip("needs revision-mismatch")
		}
		return pass("%s", strings.Join(injectors[0].Paths, ", "))
	})
}

// addressEmpty: Istio's charts make the Service by which a remote finds istiod only when they are told its address.
func addressEmpty(v view) []Result {
	return v.remotes(func(c mesh.Cluster, seen *snapshot.Cluster) []Result {
		switch {
		case blind(seen, snapshot.IstiodServices) != nil:
			return skip("needs slice-missing")
		case v.findsIstiod(seen):
			return pass("there is a Service %s", v.istiod())
		case blind(seen, snapshot.InstalledValues) != nil:
			return blind(seen, snapshot.InstalledValues)
		case !v.withoutAddress(seen):
			return skip("needs slice-missing")
		}
		return fail(v.attachOver(c), "the remote profile was installed with an empty remotePilotAddress, so there is no Service %s in %s: had the load balancer a hostname when its .ip was read?",
			v.istiod(), v.mesh.Namespace)
	})
}

// findsIstiod is true for a remote that has the Service of the primary's istiod.
func (v view) findsIstiod(seen *snapshot.Cluster) bool {
	return slices.ContainsFunc(seen.IstiodServices, func(s snapshot.IstiodService) bool { return s.Name == v.istiod() })
}

// withoutAddress is true for a remote that is known to have been installed without istiod's address.
func (v view) withoutAddress(seen *snapshot.Cluster) bool {
	installed, there := seen.Installed[v.mesh.RevisionLabel()]
	return there && installed.IstiodAddress == ""
}

func sliceMissing(v view) []Result {
	primary, _ := v.mesh.Primary()
	return v.attached(func(c mesh.Cluster, seen *snapshot.Cluster) []Result {
		if r := blind(seen, snapshot.IstiodServices); r != nil {
			return r
		}
		address := ""
		if p := v.snapshot.Clusters[primary.Name]; p != nil {
			gateway, _ := p.Gateway(wellknown.EastWestGateway)
			address = gateway.Address
		}
		name := v.istiod()
		for _, s := range seen.IstiodServices {
			switch {
			case s.Name != name:
				continue
			case address == "":
				return skip("the gateway has no address to compare with")
			case s.ExternalName == address || slices.Contains(s.Addresses, address):
				return pass("Service %s leads to %s", name, address)
			case s.ExternalName != "" || len(s.Addresses) > 0:
				return fail(v.attachOver(c), "Service %s in %s leads to %s%s, but the gateway's address is %s",
					name, v.mesh.Namespace, s.ExternalName, strings.Join(s.Addresses, ", "), address)
			}
			return fail(v.attach(c), "Service %s in %s has no endpoint: its EndpointSlice is missing", name, v.mesh.Namespace)
		}
		if v.withoutAddress(seen) {
			return skip("needs address-empty")
		}
		return fail(v.attach(c), "there is no Service %s in %s: proxies can't find istiod", name, v.mesh.Namespace)
	})
}

// notListed stands for the status of a cluster that istiod does not have.
const notListed = "not in its list"

func notSynced(v view) []Result {
	primary, _ := v.mesh.Primary()
	seenPrimary := v.snapshot.Clusters[primary.Name]
	return v.remotes(func(c mesh.Cluster, _ *snapshot.Cluster) []Result {
		if seenPrimary == nil {
			return nil
		}
		plane, found := v.plane()
		if !found || blind(seenPrimary, snapshot.ControlPlanes) != nil {
			return skip("needs no-istiod") // which says it once, of the primary
		}
		if len(plane.Replicas) == 0 && plane.Ready == 0 {
			return skip("needs istiod-ready")
		}
		if len(plane.Replicas) == 0 {
			return []Result{{Status: Unknown, Seen: "no istiod could be asked"}}
		}
		var silent []Result
		for _, replica := range plane.Replicas {
			if replica.Error != "" {
				silent = append(silent, Result{Status: Unknown, Seen: replica.Pod + ": " + replica.Error})
				continue
			}
			status := notListed
			for _, r := range replica.Clusters {
				if r.ID == c.Name {
					status = r.Status
				}
			}
			switch status {
			case snapshot.Synced:
				continue
			case snapshot.Closed, notListed: // it does not try again by itself
				return fail(v.restartIstiod(), "%s says of this cluster: %s. It does not try again", replica.Pod, status)
			}
			here := ""
			secret, _ := v.secretOf(c.Name)
			if secret.Use != nil && secret.Use.Problem == "" {
				here = fmt.Sprintf(". It answers here, and takes istiod's credentials: is there a firewall between pods of %s and %s?", primary.Name, secret.Server)
			}
			return fail(v.lookThere(primary, "logs", replica.Pod).pipe(Fix{Inspect: []command.Command{{Argv: []string{"grep", "-i", c.Name}}}}),
				"%s says of this cluster: %s%s", replica.Pod, status, here)
		}
		if silent != nil {
			return silent
		}
		return pass("%d of %d replicas", len(plane.Replicas), len(plane.Replicas))
	})
}

func cabundleEmpty(v view) []Result {
	primary, _ := v.mesh.Primary()
	roots := v.snapshot.Clusters[primary.Name].Roots(v.mesh.RevisionLabel())
	return v.remotes(func(c mesh.Cluster, seen *snapshot.Cluster) []Result {
		if r := blind(seen, snapshot.Injectors); r != nil {
			return r
		}
		injectors := v.injectors(seen)
		for _, i := range injectors {
			if len(i.CABundles) == 0 || slices.Contains(i.CABundles, "") {
				return fail(v.attach(c), "MutatingWebhookConfiguration %s has no caBundle: the API server can't call istiod", i.Name)
			}
			for _, bundle := range i.CABundles {
				if len(roots) > 0 && !slices.Contains(roots, bundle) {
					return fail(v.attach(c), "MutatingWebhookConfiguration %s has a caBundle (%s) that is not the primary's root (%s): the API server refuses istiod's certificate, and istiod does not lead here, or it would have set it right",
						i.Name, bundle, roots[0])
				}
			}
		}
		switch {
		case len(injectors) == 0:
			return skip("needs revision-mismatch")
		case len(roots) == 0:
			return skip("the primary tells no root to compare with")
		}
		return pass("%d webhook configurations", len(injectors))
	})
}
