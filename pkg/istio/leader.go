package istio

import (
	"encoding/json"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/client-go/tools/leaderelection/resourcelock"
)

// NamespaceLock is the ConfigMap in Istio's namespace of a cluster by which istiods elect the one that writes the root
// certificate into the cluster's namespaces (pilot/pkg/leaderelection, NamespaceController).
const NamespaceLock = "istio-namespace-controller-election"

// HolderOf reads who holds such a lock, by the name of the istiod pod, and since when without a renewal; false where
// nobody does.
func HolderOf(lock *corev1.ConfigMap) (resourcelock.LeaderElectionRecord, bool) {
	var record resourcelock.LeaderElectionRecord
	err := json.Unmarshal([]byte(lock.Annotations[resourcelock.LeaderElectionRecordAnnotationKey]), &record)
	return record, err == nil && record.HolderIdentity != ""
}
