package check

import (
	"cmp"
	"slices"
	"strings"
)

// All are all checks, in the order in which they are asked: causes before what they cause.
func All() []Check {
	checks := asked()
	texts := explanations()
	for i := range checks {
		c := &checks[i]
		c.Why, c.Fix, c.Docs = oneLine(texts[c.ID].why), oneLine(texts[c.ID].fix), Docs+"#"+c.ID
		c.Severity = cmp.Or(c.Severity, Fail)
		c.Preflight = slices.Contains(preflightIDs(), c.ID)
	}
	return checks
}

// oneLine takes the source's line breaks out of a text.
func oneLine(text string) string { return strings.Join(strings.Fields(text), " ") }

// asked are the checks without what explains them.
func asked() []Check {
	always := []string{BeforeInstall, BeforeExpose, BeforeAttach}
	later := []string{BeforeExpose, BeforeAttach}
	attach := []string{BeforeAttach}
	return []Check{
		{ID: "reachable", Category: Clusters, Title: "every API server answers",
			Before: always, Verify: true, judge: reachable},
		{ID: "same-cluster", Category: Clusters, Title: "every context leads to a cluster of its own",
			Before: always, Verify: true, Needs: []string{"reachable"}, judge: sameCluster},
		{ID: "permission", Category: Clusters, Title: "the user may do what the command does",
			Before: always, Needs: []string{"reachable"}, judge: permission},
		{ID: "kubernetes-version", Category: Clusters, Title: "Kubernetes is not too old",
			Before: always, Verify: true, Needs: []string{"reachable"}, judge: kubernetesVersion},
		{ID: "namespace-terminating", Category: Clusters, Title: "Istio's namespace is not being deleted",
			Before: always, Needs: []string{"reachable"}, judge: terminating},

		{ID: "primary-is-remote", Category: ControlPlane, Title: "the primary is no other primary's remote",
			Before: always, Verify: true, Needs: []string{"reachable"}, judge: primaryIsRemote},
		{ID: "adoptable", Category: ControlPlane, Title: "a control plane that is there can be a primary",
			Before: []string{BeforeInstall}, Needs: []string{"reachable", "primary-is-remote"}, judge: adoptable},
		{ID: "no-istiod", Category: ControlPlane, Title: "the primary has a control plane",
			Before: later, Verify: true, Needs: []string{"reachable", "primary-is-remote"}, judge: noIstiod},
		{ID: "external-off", Category: ControlPlane, Title: "istiod may manage remote clusters",
			Before: later, Verify: true, Needs: []string{"no-istiod"}, judge: externalOff},
		{ID: "name-default", Category: ControlPlane, Title: "the primary has a name of its own",
			Before: later, Verify: true, Needs: []string{"no-istiod"}, judge: nameDefault},
		{ID: "istiod-ready", Category: ControlPlane, Title: "every istiod replica is ready",
			Verify: true, Needs: []string{"no-istiod"}, judge: istiodReady},
		{ID: "version-skew", Category: ControlPlane, Title: "control plane and charts are of one minor release",
			Before: later, Verify: true, Needs: []string{"no-istiod"}, judge: versionSkew},
		{ID: "address-pending", Category: Gateway, Title: "the east-west gateway has an address",
			Before: attach, Verify: true, Needs: []string{"no-istiod"}, judge: addressPending},
		{ID: "address-ipv6", Category: Gateway, Title: "remotes can be given the gateway's address",
			Before: later, Verify: true, Needs: []string{"reachable"}, judge: addressIPv6},
		{ID: "address-hostname", Category: Gateway, Title: "a gateway behind a hostname can be called by API servers",
			Before: attach, Verify: true, Needs: []string{"address-pending", "no-istiod"}, judge: addressHostname},
		{ID: "gateway-ready", Category: Gateway, Title: "the east-west gateway serves",
			Verify: true, Needs: []string{"address-pending"}, judge: gatewayReady},
		{ID: "not-exposed", Category: Gateway, Title: "istiod is published through the gateway",
			Before: attach, Verify: true, Needs: []string{"no-istiod"}, judge: notExposed},
		{ID: "gateway-policy", Category: Gateway, Title: "no policy shuts remotes out of the gateway",
			Verify: true, Needs: []string{"gateway-ready"}, judge: gatewayPolicy},

		{ID: "own-control-plane", Category: ControlPlane, Title: "a remote has no control plane of its own",
			Before: attach, Verify: true, Needs: []string{"same-cluster", "reachable"}, NeedsOfPrimary: []string{"primary-is-remote", "no-istiod"}, judge: ownControlPlane},
		{ID: "other-primary", Category: ControlPlane, Title: "a remote belongs to no other primary",
			Before: attach, Needs: []string{"reachable"}, judge: otherPrimary},
		{ID: "secret-missing", Category: Credentials, Title: "the primary has credentials for the remote",
			Verify: true, Needs: []string{"same-cluster"}, NeedsOfPrimary: []string{"no-istiod"}, judge: secretMissing},
		{ID: "secret-localhost", Category: Credentials, Title: "the primary can reach the remote's API server",
			Before: attach, Verify: true, judge: secretLocalhost},
		{ID: "secret-proxy", Category: Credentials, Title: "the primary needs no proxy to the remote's API server",
			Before: attach, Needs: []string{"secret-localhost"}, judge: secretProxy},
		{ID: "secret-malformed", Category: Credentials, Title: "istiod can read every remote secret",
			Verify: true, judge: secretMalformed},
		{ID: "name-duplicate", Category: Credentials, Title: "every cluster's name is its own",
			Before: attach, Verify: true, Needs: []string{"reachable", "secret-malformed"}, judge: nameDuplicate},
		{ID: "annotation-missing", Category: ControlPlane, Title: "the remote lets the primary lead",
			Verify: true, Needs: []string{"reachable"}, NeedsOfPrimary: []string{"name-default"}, judge: annotationMissing},
		{ID: "network-label", Category: Network, Title: "Istio's namespace carries its network",
			Verify: true, Needs: []string{"reachable"}, judge: networkLabel},
		{ID: "network-unconnected", Category: Network, Title: "calls cross between the networks",
			Before: attach, Verify: true, Needs: []string{"reachable", "network-label"}, NeedsOfPrimary: []string{"no-istiod"}, judge: networkUnconnected},
		{ID: "revision-mismatch", Category: Injection, Title: "the remote's injector is of the primary's revision",
			Verify: true, Needs: []string{"reachable"}, judge: revisionMismatch},
		{ID: "name-mismatch", Category: Injection, Title: "the injector gives pods the cluster's name",
			Verify: true, Needs: []string{"revision-mismatch", "name-duplicate"}, judge: nameMismatch},
		{ID: "address-empty", Category: Gateway, Title: "the remote was installed with istiod's address",
			Verify: true, Needs: []string{"reachable"}, judge: addressEmpty},
		{ID: "slice-missing", Category: Gateway, Title: "the remote finds istiod at the gateway",
			Verify: true, Needs: []string{"reachable"}, judge: sliceMissing},
		{ID: "webhook-address", Category: Injection, Title: "the remote's API server calls the injector at the gateway",
			Verify: true, Needs: []string{"revision-mismatch"}, NeedsOfPrimary: []string{"address-ipv6"}, judge: webhookAddress},
		{ID: "token-missing", Category: Credentials, Title: "the account that istiod reads through has a token",
			Verify: true, Needs: []string{"reachable"}, judge: tokenMissing},
		{ID: "secret-stale", Category: Credentials, Title: "every remote secret is of a cluster that is there",
			Verify: true, judge: secretStale},
		{ID: "secret-unreachable", Category: Credentials, Title: "the API server in the remote secret answers",
			Verify: true, Needs: []string{"secret-localhost", "secret-missing"}, judge: secretUnreachable},
		{ID: "secret-ca", Category: Credentials, Title: "the CA in the remote secret is the API server's",
			Before: attach, Verify: true, Needs: []string{"secret-localhost", "secret-proxy", "secret-unreachable"}, judge: secretCA},
		{ID: "token-expired", Category: Credentials, Title: "the token in the remote secret is taken",
			Verify: true, Needs: []string{"secret-unreachable", "secret-ca"}, judge: tokenExpired},
		{ID: "reader-rbac", Category: Credentials, Title: "istiod may read what it needs",
			Verify: true, Needs: []string{"secret-unreachable", "secret-ca", "token-expired"}, judge: readerRBAC},
		{ID: "sync-partial", Category: ControlPlane, Title: "all istiod replicas have read the same clusters",
			Verify: true, Needs: []string{"no-istiod"}, judge: syncPartial},
		{ID: "not-synced", Category: ControlPlane, Title: "every istiod replica has read the remote",
			Verify: true, Needs: []string{"no-istiod", "secret-malformed", "secret-localhost", "secret-unreachable", "secret-ca", "token-expired", "sync-partial", "secret-missing"}, judge: notSynced},
		{ID: "annotation-late", Category: ControlPlane, Title: "istiod leads in the remote",
			Verify: true, Needs: []string{"revision-mismatch", "annotation-missing", "not-synced"}, NeedsOfPrimary: []string{"external-off"}, judge: annotationLate},
		{ID: "cabundle-empty", Category: Injection, Title: "the injector's webhooks have istiod's certificate",
			Verify: true, Needs: []string{"revision-mismatch", "annotation-missing", "reader-rbac", "not-synced", "annotation-late"}, judge: cabundleEmpty},
		{ID: "root-cm-missing", Category: Trust, Title: "Istio's namespace has the mesh's root certificate",
			Verify: true, Needs: []string{"reachable", "no-istiod", "annotation-missing", "reader-rbac", "not-synced", "cabundle-empty"},
			NeedsOfPrimary: []string{"no-istiod"}, judge: rootMissing},
		{ID: "roots-differ", Category: Trust, Title: "all clusters trust one root",
			Verify: true, Needs: []string{"reachable", "root-cm-missing", "cabundle-empty"}, judge: rootsDiffer},

		{ID: "secret-namespace", Category: Credentials, Title: "remote secrets are where istiod looks",
			Verify: true, Needs: []string{"reachable"}, judge: secretNamespace},
		{ID: "mesh-id", Category: ControlPlane, Title: "all clusters have one mesh id",
			Verify: true, Needs: []string{"reachable"}, judge: meshID},
		{ID: "network-overlap", Category: Network, Title: "pod ranges of one network do not overlap",
			Verify: true, Needs: []string{"same-cluster", "name-duplicate", "reachable"}, judge: networkOverlap},
		{ID: "firewall", Category: Gateway, Title: "the gateway's ports answer",
			Verify: true, Needs: []string{"istiod-ready", "gateway-policy", "address-pending", "gateway-ready", "not-exposed"},
			NeedsOfPrimary: []string{"istiod-ready", "gateway-policy", "address-pending", "gateway-ready", "not-exposed"}, judge: firewall},
		{ID: "gateway-trust", Category: Trust, Title: "who answers at the gateway is istiod",
			Verify: true, Needs: []string{"firewall", "address-hostname"}, NeedsOfPrimary: []string{"firewall", "address-hostname"}, judge: gatewayTrust},
		{ID: "injection", Category: Injection, Title: "a pod gets its sidecar", Verify: true,
			Needs:          []string{"istiod-ready", "reachable", "name-default", "annotation-missing", "revision-mismatch", "name-mismatch", "slice-missing", "webhook-address", "cabundle-empty"},
			NeedsOfPrimary: []string{"istiod-ready", "gateway-policy", "address-pending", "address-hostname", "gateway-ready", "not-exposed", "firewall", "gateway-trust"}, judge: injection},
		{ID: "injection-not-ready", Category: Injection, Title: "gateways were injected",
			Verify: true, Needs: []string{"reachable"}, judge: injectionNotReady},
		{ID: "proxies", Category: Proxies, Title: "proxies take what istiod sends",
			Verify: true, Needs: []string{"no-istiod", "istiod-ready"}, judge: proxies},
		{ID: "unknown-cluster", Category: Proxies, Title: "every proxy is of a cluster that istiod knows",
			Verify: true, Needs: []string{"name-default", "no-istiod", "istiod-ready"}, judge: unknownCluster},
		{ID: "service-asymmetric", Category: Network, Severity: Warn, Title: "namespaces in several clusters have the same Services",
			Verify: true, Needs: []string{"reachable"}, judge: serviceAsymmetric},
		{ID: "service-inconsistent", Category: Network, Severity: Warn, Title: "a Service is the same in all clusters",
			Verify: true, Needs: []string{"reachable"}, judge: serviceInconsistent},
		{ID: "registry-unknown", Category: Network, Title: "meshNetworks names clusters of the mesh",
			Verify: true, Needs: []string{"no-istiod"}, judge: registryUnknown},
		{ID: "leftover", Category: Injection, Severity: Warn, Title: "nothing is left of a revision that is gone",
			Verify: true, Needs: []string{"reachable", "revision-mismatch"}, judge: leftover},
		{ID: "mixed-ambient", Category: Proxies, Severity: Warn, Title: "no ambient data plane is mixed in",
			Verify: true, Needs: []string{"reachable"}, judge: mixedAmbient},
		{ID: "load-balancer", Category: Gateway, Title: "the primary's gateway will get an address",
			Needs: []string{"reachable"}, judge: loadBalancer},
		{ID: "pod-security", Category: Injection, Title: "pods may do what a sidecar's set-up needs",
			Needs: []string{"reachable"}, judge: podSecurity},
		{ID: "clock-skew", Category: Clusters, Title: "the clocks agree",
			Verify: true, Needs: []string{"reachable"}, judge: clockSkew},

		{ID: "probe-ready", Category: Traffic, Title: "a probe runs in every cluster",
			Verify: true, Needs: []string{"reachable", "injection"}, judge: probeReady},
		{ID: "traffic", Category: Traffic, Title: "every cluster's pods reach every cluster's, over mutual TLS",
			Verify: true, Needs: []string{"probe-ready"}, judge: traffic},
		{ID: "spread", Category: Traffic, Title: "a Service in all clusters is answered by all",
			Verify: true, Needs: []string{"traffic"}, judge: spread},
		{ID: "trust-domain", Category: Trust, Title: "proxies' identities are of the mesh's trust domain",
			Verify: true, judge: trustDomain},
	}
}
