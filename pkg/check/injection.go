package check

import (
	"slices"
	"strings"

	"github.com/kubectl-mesh/kubectl-mesh/pkg/mesh"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/snapshot"
)

func injectionCheck() Check {
	return Check{
		ID: "injection", Subject: OfLink, Category: Injection,
		Title:          "a pod gets its sidecar",
		Verify:         true,
		Needs:          []string{"istiod-ready", "reachable", "name-default", "annotation-missing", "revision-mismatch", "name-mismatch", "slice-missing", "webhook-address", "cabundle-empty"},
		NeedsOfPrimary: []string{"istiod-ready", "gateway-policy", "address-pending", "address-hostname", "gateway-ready", "not-exposed", "firewall", "gateway-trust"},
		Why: `A pod that was created in a dry run got no sidecar of this cluster, although everything checked before is in order.
			This takes the whole way: namespace label, webhook, API server to gateway to istiod, and its answer. The error is the
			API server's own.`,
		Fix: `The error tells the link that broke. If the API server got no answer, let it reach the gateway's port for webhooks.
			Otherwise attach the cluster again, which rewrites all links on the remote's side.`,
		judge: injection,
	}
}

func injection(v view) []Result {
	return v.eachServed(func(c mesh.Cluster, seen *snapshot.Cluster) []Result {
		if r := unreadable(seen, snapshot.InjectionPart); r != nil {
			return r
		}
		switch {
		case seen.Injection == nil:
			return needs("revision-mismatch")
		case seen.Injection.Error == "":
			return pass("a dry-run pod gets its sidecar")
		}
		if need := v.gatewayCauseFor(c, snapshot.ToWebhook); need != "" {
			return needs(need)
		}
		fix := v.attachForced(c)
		if unanswered(seen.Injection.Error) {
			fix = advice("let the API server of %s reach the gateway's port %d (firewalls, security groups)", c.Name, v.webhookPort())
		}
		if c.Role == mesh.Primary {
			fix = v.inspectNamespaced(c, "logs", "deployment/"+v.istiodName())
		}
		return fail(fix, "a dry-run pod gets no sidecar: %s", seen.Injection.Error)
	})
}

// unsupportedService is in the error of an API server that calls webhooks at endpoints, where the Service is an ExternalName.
const unsupportedService = "unsupported service type"

// unanswered is true for the error of an API server that has called a webhook and got no answer.
func unanswered(text string) bool {
	return slices.ContainsFunc([]string{"does not answer", "deadline exceeded", "i/o timeout", "connection refused", "no route to host"},
		func(part string) bool { return strings.Contains(text, part) })
}

func injectionNotReadyCheck() Check {
	return Check{
		ID: "injection-not-ready", Subject: OfCluster, Category: Injection,
		Title:  "gateways were injected",
		Verify: true,
		Needs:  []string{"reachable"},
		Why: `A gateway pod was created before injection worked. It has the placeholder image "auto", which can't be pulled, and
			stays so, because pods are injected only when they are created (#39282, #46307).`,
		Fix:   `Delete the pod; its successor is injected.`,
		judge: injectionNotReady,
	}
}

func injectionNotReady(v view) []Result {
	return v.eachCluster(func(c mesh.Cluster, seen *snapshot.Cluster) []Result {
		if r := unreadable(seen, snapshot.UninjectedPods); r != nil {
			return r
		}
		if len(seen.UninjectedGateways) == 0 {
			return pass("every gateway pod was injected")
		}
		return fail(v.kubectlNamespaced(c, append([]string{"delete", "pod"}, seen.UninjectedGateways...)...),
			"created before injection worked, with the placeholder image \"auto\": pod %s in %s", strings.Join(seen.UninjectedGateways, ", "), v.mesh.Namespace)
	})
}
