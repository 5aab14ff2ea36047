package check

import (
	"slices"

	corev1 "k8s.io/api/core/v1"

	"github.com/kubectl-mesh/kubectl-mesh/pkg/mesh"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/snapshot"
)

func probeReadyCheck() Check {
	return Check{
		ID: "probe-ready", Subject: OfLink, Category: Traffic,
		Title:  "a probe runs in every cluster",
		Verify: true,
		Needs:  []string{"reachable", "injection"},
		Why: `The probe of --traffic did not become ready in a cluster, so nothing can be said about calls from and to it. Mostly
			its image can't be pulled there; --probe-image names another, and make probe builds the program for one. It also fails
			where a cluster has nodes and none of them can run a pod; a cluster without any node is skipped. It is unknown where
			the API server did not answer or --timeout left too little time, and where the probe ran but its second pod, which has
			no sidecar and calls the gateway or API servers, did not run or had no network.`,
		Fix:   `Look at the cluster's nodes, and at its events, with --keep, so that the probe stays.`,
		judge: probeReady,
	}
}

// probeReady: a probe runs in every cluster that can run one.
func probeReady(v view) []Result {
	if v.snapshot.Traffic == nil {
		return nil
	}
	return v.eachServed(func(c mesh.Cluster, seen *snapshot.Cluster) []Result {
		reason, unready := v.snapshot.Traffic.Unready[c.Name]
		if need := v.gatewayCauseFor(c, snapshot.ToIstiod); unready && need != "" {
			return needs(need)
		}
		undialled := v.snapshot.Traffic.Undialled[c.Name]
		controlPlane, _ := v.controlPlane()
		_, discoverable := controlPlane.DiscoverySelectors.MissingLabels(map[string]string{corev1.LabelMetadataName: v.snapshot.Traffic.Namespace})
		switch {
		case slices.Contains(v.snapshot.Traffic.Unprobed, c.Name):
			return unknown(Fix{}, "could not be probed: %s", reason)
		case slices.Contains(v.snapshot.Traffic.Unpullable, c.Name):
			return fail(advice("name with --probe-image an image that this cluster can pull: make probe builds the program for one").
				and(v.inspect(c, "get", "events", "-A", "--field-selector", "type=Warning")), "%s", reason)
		case unready && !discoverable:
			return fail(v.otherSelectors(), "%s", reason)
		case unready && reason == undialled: // it is no matter of sidecars
			return fail(v.inspect(c, "get", "networkpolicy", "-A"), "%s", reason)
		case unready:
			return fail(v.verify("--traffic", "--keep").and(v.inspect(c, "get", "events", "-A", "--field-selector", "type=Warning")), "%s", reason)
		case undialled != "":
			return unknown(Fix{}, "could not call from a pod without a sidecar: %s", undialled)
		}
		if r := unreadable(seen, snapshot.Nodes); r != nil {
			return r
		}
		if seen.Secret != "" {
			return unknown(Fix{}, "no context leads to this cluster, and istiod's credentials can start nothing here")
		}
		if seen.Nodes == 0 {
			return skip("there is no node: nothing can run here")
		}
		if seen.ReadyNodes == 0 {
			return fail(v.inspect(c, "get", "nodes"), "0 of %d nodes can run a pod: all are not ready, or cordoned", seen.Nodes)
		}
		return pass("a pod with its sidecar is ready")
	})
}

// hasProbe is true for a cluster in which a probe runs.
func (v view) hasProbe(c mesh.Cluster) bool {
	_, unready := v.snapshot.Traffic.Unready[c.Name]
	seen := v.snapshot.Clusters[c.Name]
	return !unready && seen != nil && seen.Secret == "" && seen.ReadyNodes > 0
}
