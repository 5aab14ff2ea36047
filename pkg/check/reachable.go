package check

import (
	"fmt"

	"github.com/kubectl-mesh/kubectl-mesh/pkg/mesh"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/snapshot"
)

func reachableCheck() Check {
	return Check{
		ID: "reachable", Subject: OfCluster, Category: Clusters,
		Title:  "every API server answers",
		Before: []string{BeforeInstall, BeforeExpose, BeforeAttach}, Verify: true, Preflight: true,
		Why: `The API server of a context did not answer, or refused the user's credentials. Without it nothing else can be said
			about that cluster, so every other check of it is skipped. The check fails only for an answer: credentials that are
			refused, or a certificate that is not trusted. If nobody answers, or a proxy answers in the API server's place, and
			retries do not help, the result is unknown: the cluster itself may be healthy. A remote for which your kubeconfig has
			no context is read with the credentials of its remote secret, as istiod reads it; what its account may not read is
			unknown.`,
		Fix: `Try the context with kubectl. If the remote is fine but you have no context for it, ask for one, or name it as
			NAME=CONTEXT.`,
		judge: reachable,
	}
}

func reachable(v view) []Result {
	return v.eachCluster(func(c mesh.Cluster, seen *snapshot.Cluster) []Result {
		reason, silent := seen.CouldNotRead(snapshot.APIServer)
		switch {
		case silent && c.Role == mesh.Remote && !hasContext(c):
			if seen.Secret != "" {
				reason = fmt.Sprintf("no context leads to this cluster, and with the credentials of Secret %s: %s", seen.Secret, reason)
			}
			return unknown(advice("name the remote's context").and(v.verify(c.Name+"=CONTEXT").fill("CONTEXT")), "%s", reason)
		case silent && !seen.Answers(): // it may be well, and the way to it not
			return unknown(v.inspect(c, "get", "namespace", "kube-system"), "context %q (%s): %s", c.Context, seen.Server, reason)
		case silent:
			return fail(v.inspect(c, "get", "namespace", "kube-system"), "context %q (%s): %s", c.Context, seen.Server, reason)
		case seen.Secret != "":
			return pass("%s, Kubernetes %s; no context leads here, so it was read with the credentials of Secret %s", seen.Server, seen.KubernetesVersion, seen.Secret)
		}
		return pass("%s, Kubernetes %s", seen.Server, seen.KubernetesVersion)
	})
}

// hasContext is true for a cluster to which a context of the user leads.
func hasContext(c mesh.Cluster) bool { return c.Context != "" }

// answersFromHere is true when the API server answers this machine.
func answersFromHere(seen *snapshot.Cluster) bool {
	_, silent := seen.CouldNotRead(snapshot.APIServer)
	return !silent
}
