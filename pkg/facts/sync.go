package facts

import (
	"slices"

	"github.com/kubectl-mesh/kubectl-mesh/pkg/snapshot"
)

// Sync is how far an istiod replica is with a cluster that it is to read.
type Sync string

// How far a replica can be.
const (
	// Synced: it has read the cluster.
	Synced Sync = "synced"
	// Syncing: it works on it.
	Syncing Sync = "syncing"
	// TimedOut: it could not read the cluster in time, and goes on trying.
	TimedOut Sync = "timed out"
	// GivenUp: it has permanently stopped watching the cluster.
	GivenUp Sync = "given up"
	// NotListed: it does not know of the cluster.
	NotListed Sync = "not listed"
	// NotAsked: the replica could not be asked.
	NotAsked Sync = "not asked"
)

// SyncOfStatus is what istiod's word for a cluster means; it has none, which is empty, for a cluster that it does not list.
func SyncOfStatus(status string) Sync {
	switch status {
	case "":
		return NotListed
	case snapshot.Synced:
		return Synced
	case snapshot.Closed:
		return GivenUp
	case snapshot.TimedOut:
		return TimedOut
	}
	return Syncing
}

// SyncOf is how far a replica is with a cluster.
func SyncOf(replica snapshot.Replica, cluster string) Sync {
	if replica.Error != "" {
		return NotAsked
	}
	return SyncOfStatus(StatusIn(replica, cluster))
}

// StatusIn is a replica's word for a cluster; empty where it does not list it.
func StatusIn(replica snapshot.Replica, cluster string) string {
	for _, c := range replica.Clusters {
		if c.ID == cluster {
			return c.Status
		}
	}
	return ""
}

// SyncedOnAll is true when a control plane runs and each of its replicas was asked and has read the cluster.
func SyncedOnAll(plane snapshot.ControlPlane, cluster string) bool {
	return len(plane.Replicas) > 0 && !slices.ContainsFunc(plane.Replicas, func(r snapshot.Replica) bool { return SyncOf(r, cluster) != Synced })
}

// SyncedOnAny is true when a replica has read the cluster.
func SyncedOnAny(plane snapshot.ControlPlane, cluster string) bool {
	return slices.ContainsFunc(plane.Replicas, func(r snapshot.Replica) bool { return SyncOf(r, cluster) == Synced })
}

// AnyAsked is true when a replica of the control plane could be asked.
func AnyAsked(plane snapshot.ControlPlane) bool {
	return slices.ContainsFunc(plane.Replicas, func(r snapshot.Replica) bool { return r.Error == "" })
}

// GivenUpBy are the clusters that a replica of a control plane has stopped watching, sorted. That may last: Istio 1.29 does so
// whenever the credentials in a remote secret change, and then takes up no secret at all (istio/istio#59875).
func GivenUpBy(plane snapshot.ControlPlane) []string {
	var clusters []string
	for _, replica := range plane.Replicas {
		for _, c := range replica.Clusters {
			if SyncOf(replica, c.ID) == GivenUp {
				clusters = append(clusters, c.ID)
			}
		}
	}
	slices.Sort(clusters)
	return slices.Compact(clusters)
}
