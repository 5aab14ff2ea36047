package check

import (
	"fmt"
	"slices"
	"strings"

	"github.com/kubectl-mesh/kubectl-mesh/pkg/facts"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/istio/wellknown"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/mesh"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/snapshot"
)

func revisionMismatchCheck() Check {
	return Check{
		ID: "revision-mismatch", Subject: OfLink, Category: Injection,
		Title:  "the remote's injector is of the primary's revision",
		Verify: true,
		Needs:  []string{"reachable"},
		Why: `The remote has no injector of the primary's revision, so its namespaces' labels lead nowhere: pods start without a
			sidecar, or ask an istiod that is not exposed (#47552, #34867). It was attached for another revision, or not to the
			end.`,
		Fix:   `Attach the cluster again, with the primary's revision.`,
		judge: revisionMismatch,
	}
}

func revisionMismatch(v view) []Result {
	return v.eachRemote(v.orSecretMissing(func(c mesh.Cluster, seen *snapshot.Cluster) []Result {
		if r := unreadable(seen, snapshot.Injectors); r != nil {
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
		return fail(v.attachForced(c), "the injector webhooks are of revision %s, the primary's istiod of %s", strings.Join(others, ", "), v.mesh.RevisionLabel())
	}))
}

func webhookAddressCheck() Check {
	return Check{
		ID: "webhook-address", Subject: OfLink, Category: Injection,
		Title:          "the remote's API server calls the injector at the gateway",
		Verify:         true,
		Needs:          []string{"revision-mismatch"},
		NeedsOfPrimary: []string{"address-ipv6"},
		Why: `The injector's webhook calls a URL with a host that is not the gateway's: its address has changed since the cluster
			was attached, or somebody has edited it. Or the gateway has a hostname and the webhook calls the Service istiod, as
			Istio's guide has it: an API server with --enable-aggregator-routing (EKS, k3s) refuses it, and any other calls port
			443 of that host. While that works it is a warning.`,
		Fix:   `Attach the cluster again, which writes the gateway's present address.`,
		judge: webhookAddress,
	}
}

// webhookAddress: a remote's API server calls the injector where the gateway is now.
func webhookAddress(v view) []Result {
	gateway := snapshot.Gateway{}
	if p := v.seenHome(); p != nil {
		gateway, _ = p.Gateway(wellknown.EastWestGateway)
	}
	called := func(host string) string { return fmt.Sprintf("%s:%d", host, v.webhookPort()) }
	return v.eachRemote(v.orSecretMissing(func(c mesh.Cluster, seen *snapshot.Cluster) []Result {
		if r := unreadable(seen, snapshot.Injectors); r != nil {
			return r
		}
		injectors := v.injectors(seen)
		switch {
		case len(injectors) == 0:
			return needs("revision-mismatch")
		case gateway.Address == "":
			return skip("the gateway has no address to compare with")
		}
		for _, i := range injectors {
			for _, host := range i.Hosts {
				known := slices.ContainsFunc(append([]string{gateway.Address}, gateway.Hostnames...), func(name string) bool { return host == called(name) })
				switch {
				case host != "" && !known:
					return fail(v.attachForced(c), "MutatingWebhookConfiguration %s has the API server call %s, but the gateway is at %s", i.Name, host, called(gateway.Address))
				case host == "" && facts.IsHostname(gateway.Address):
					return v.externalNameWebhook(c, seen, i, gateway)
				}
			}
		}
		if facts.IsHostname(gateway.Address) {
			return pass("the API server calls %s", called(gateway.Address))
		}
		return pass("the API server calls Service %s", v.istiodName())
	}))
}

// externalNameWebhook is a webhook at a Service that is only a name for the gateway's host, as earlier releases made it and
// Istio's guide still does. Whether it works depends on how the API server was started.
func (v view) externalNameWebhook(c mesh.Cluster, seen *snapshot.Cluster, i snapshot.Injector, gateway snapshot.Gateway) []Result {
	text := fmt.Sprintf("MutatingWebhookConfiguration %s has the API server call Service %s, which is only a name for %s: where webhooks are called at endpoints (EKS, k3s) it refuses that (unsupported service type)",
		i.Name, v.istiodName(), gateway.Address)
	works := slices.Contains(gateway.Ports, 443) // which is what other API servers call
	if seen.Injection != nil {
		works = seen.Injection.Error == ""
	}
	if works {
		return warn(v.attachForced(c), "%s; this one does not, yet", text)
	}
	return fail(v.attachForced(c), "%s, and others call port 443", text)
}

// webhookPort is the gateway's port that API servers of remotes call.
func (v view) webhookPort() int32 {
	seen := v.seenHome()
	if seen == nil {
		return snapshot.Gateway{}.WebhookPort("")
	}
	gateway, _ := seen.Gateway(wellknown.EastWestGateway)
	if !facts.IsHostname(gateway.Address) {
		return gateway.WebhookPort("")
	}
	return gateway.WebhookPort(v.mesh.Revision)
}

func cabundleEmptyCheck() Check {
	return Check{
		ID: "cabundle-empty", Subject: OfLink, Category: Injection,
		Title:  "the injector's webhooks have istiod's certificate",
		Verify: true,
		Needs:  []string{"revision-mismatch", "annotation-missing", "reader-rbac", "not-synced", "annotation-late"},
		Why: `A webhook of the remote's injector has no caBundle, so the API server can't check istiod's certificate and does not
			call it: pods fail to start, or start without a sidecar (#42327, #30899). Or it has another one than the primary's
			root, left from another mesh or an earlier installation, by which it refuses istiod. istiod writes it when it leads in
			the cluster.`,
		Fix:   `Attach the cluster again, so that istiod leads there and writes it.`,
		judge: cabundleEmpty,
	}
}

func cabundleEmpty(v view) []Result {
	roots := v.seenHome().Roots(v.mesh.RevisionLabel())
	return v.eachRemote(func(c mesh.Cluster, seen *snapshot.Cluster) []Result {
		if r := unreadable(seen, snapshot.Injectors); r != nil {
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
			return needs("revision-mismatch")
		case len(roots) == 0:
			return skip("the primary tells no root to compare with")
		}
		return pass("%d webhook configurations", len(injectors))
	})
}

func leftoverCheck() Check {
	return Check{
		ID: "leftover", Subject: OfLink, Category: Injection,
		Title:    "nothing is left of a revision that is gone",
		Severity: Warn, Verify: true,
		Needs: []string{"reachable", "revision-mismatch"},
		Why: `An injector is left of a revision for which the primary has no istiod, mostly from an uninstall or an upgrade (#38497,
			#23706). Pods in namespaces with its label fail to start, because the API server's call to it fails.`,
		Fix:   `Delete the MutatingWebhookConfiguration.`,
		judge: leftover,
	}
}

func leftover(v view) []Result {
	return v.eachServed(func(c mesh.Cluster, seen *snapshot.Cluster) []Result {
		if r := unreadable(seen, snapshot.Injectors); r != nil {
			return r
		}
		p := v.seenHome()
		if p == nil || len(p.ControlPlanes) == 0 {
			return needs("no-istiod")
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
