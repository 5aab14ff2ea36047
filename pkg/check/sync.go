package check

import (
	"cmp"
	"fmt"
	"strings"

	"github.com/kubectl-mesh/kubectl-mesh/pkg/command"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/facts"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/mesh"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/snapshot"
)

func syncPartialCheck() Check {
	return Check{
		ID: "sync-partial", Subject: OfLink, Category: ControlPlane,
		Title:  "all istiod replicas have read the same clusters",
		Verify: true,
		Needs:  []string{"no-istiod"},
		Why: `Some replicas of istiod have read the remote, others have not. A proxy sees the remote's endpoints or not, depending
			on the replica that serves it, and this changes with each reconnect (#38440, #45992).`,
		Fix:   `Delete the pods that have not; their successors read everything again.`,
		judge: syncPartial,
	}
}

func syncPartial(v view) []Result {
	return v.eachRead(func(c mesh.Cluster, _ *snapshot.Cluster) []Result {
		controlPlane, found := v.controlPlane()
		if !found || len(controlPlane.Replicas) < 2 {
			return nil
		}
		var has, lacks []string
		for _, replica := range controlPlane.Replicas {
			switch facts.SyncOf(replica, c.Name) {
			case facts.NotAsked:
			case facts.Synced:
				has = append(has, replica.Pod)
			default:
				lacks = append(lacks, replica.Pod)
			}
		}
		if len(has) == 0 || len(lacks) == 0 {
			return pass("replicas agree")
		}
		// An istiod that waits for a remote may take half a minute to end.
		return fail(v.kubectlNamespaced(v.home, append([]string{"delete", "pod", "--wait=false"}, lacks...)...),
			"%s has read this cluster, %s has not: proxies see its endpoints or not, by whom they are served", strings.Join(has, ", "), strings.Join(lacks, ", "))
	})
}

func notSyncedCheck() Check {
	return Check{
		ID: "not-synced", Subject: OfLink, Category: ControlPlane,
		Title:  "every istiod replica has read the remote",
		Verify: true,
		Needs:  []string{"no-istiod", "secret-malformed", "secret-localhost", "secret-unreachable", "secret-ca", "token-expired", "sync-partial", "secret-missing"},
		Why: `istiod does not say "synced" of the remote: it has no secret for it, or could not read everything there. Services in
			the remote have no endpoints for the rest of the mesh, and its pods get no identity.`,
		Fix: `Its log names the cluster and what it waits for. Where it is closed or not in its list, istiod does not try again, as
			when the credentials in a secret changed under Istio 1.29 (#59875): restart it.`,
		judge: notSynced,
	}
}

func notSynced(v view) []Result {
	home := v.seenHome()
	return v.eachRead(func(c mesh.Cluster, _ *snapshot.Cluster) []Result {
		if home == nil {
			return nil
		}
		controlPlane, found := v.controlPlane()
		if !found || unreadable(home, snapshot.ControlPlanes) != nil {
			return needs("no-istiod") // which says it once, of the primary
		}
		if len(controlPlane.Replicas) == 0 && controlPlane.Ready == 0 {
			return needs("istiod-ready")
		}
		if len(controlPlane.Replicas) == 0 {
			return unknown(Fix{}, "no istiod could be asked")
		}
		var silent []Result
		for _, replica := range controlPlane.Replicas {
			status := facts.StatusIn(replica, c.Name)
			switch facts.SyncOf(replica, c.Name) {
			case facts.Synced:
				continue
			case facts.NotAsked:
				silent = append(silent, unknown(Fix{}, "%s: %s", replica.Pod, replica.Error)...)
				continue
			case facts.GivenUp, facts.NotListed:
				return fail(v.restartIstiod(), "%s says of this cluster: %s. It does not try again", replica.Pod, cmp.Or(status, "not in its list"))
			}
			here := ""
			secret, _ := v.secretOf(c.Name)
			if secret.Use != nil && secret.Use.Problem == "" {
				here = fmt.Sprintf(". It answers here, and takes istiod's credentials: is there a firewall between pods of %s and %s?", v.home.Name, secret.Server)
			}
			return fail(v.inspectNamespaced(v.home, "logs", replica.Pod).pipe(Fix{Inspect: []command.Command{{Argv: []string{"grep", "-i", c.Name}}}}),
				"%s says of this cluster: %s%s", replica.Pod, status, here)
		}
		if silent != nil {
			return silent
		}
		return pass("%d of %d replicas", len(controlPlane.Replicas), len(controlPlane.Replicas))
	})
}

// synced is true when every replica of the control plane has read a cluster.
func (v view) synced(c mesh.Cluster) bool {
	controlPlane, _ := v.controlPlane()
	return facts.SyncedOnAll(controlPlane, c.Name)
}
