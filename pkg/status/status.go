// Package status sums a mesh up: what there is, how its parts stand to each other, and how well they are. It is pure, and
// says nothing that is not in the mesh, the snapshot or the results of the checks.
package status

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"github.com/kubectl-mesh/kubectl-mesh/pkg/check"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/facts"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/mesh"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/snapshot"
)

// Mesh is a whole mesh on one screen. Its JSON is described in docs/guide/status.md, and stable.
type Mesh struct {
	// ID is the mesh id, empty where the primary has none or was not found.
	ID          string `json:"id,omitempty"`
	TrustDomain string `json:"trustDomain,omitempty"`
	// Revision is the control plane's, as in the label istio.io/rev.
	Revision  string `json:"revision"`
	Namespace string `json:"namespace"`
	// Status is the worst of all clusters.
	Status check.Status `json:"status"`
	// Unread says why a primary could not be looked at, empty where all could be: what is missing here is then not known to
	// be absent.
	Unread string `json:"unread,omitempty"`
	// Istiods are the primaries' replicas of istiod.
	Istiods  []Istiod  `json:"istiods"`
	Clusters []Cluster `json:"clusters"`
	Links    []Link    `json:"links"`
}

// Istiod is one replica.
type Istiod struct {
	// Cluster is where it runs, in a mesh of several control planes.
	Cluster string `json:"cluster,omitempty"`
	Pod     string `json:"pod"`
	Version string `json:"version,omitempty"`
	// Error says why it could not be asked; what it has read is unknown then.
	Error string `json:"error,omitempty"`
	// Synced are the clusters that it has read beside its own, Unsynced the others.
	Synced   []string `json:"synced,omitempty"`
	Unsynced []string `json:"unsynced,omitempty"`
}

// Cluster is one cluster of the mesh.
type Cluster struct {
	Name string `json:"name"`
	// Context is the kubeconfig's, empty for a cluster to which none leads.
	Context string    `json:"context,omitempty"`
	Role    mesh.Role `json:"role"`
	Network string    `json:"network,omitempty"`
	// Server is the API server's address.
	Server     string `json:"server,omitempty"`
	Kubernetes string `json:"kubernetes,omitempty"`
	// Istio are the releases of what runs there: of istiod in a primary, of proxies in a remote.
	Istio    []string  `json:"istio,omitempty"`
	Gateways []Gateway `json:"gateways,omitempty"`
	// Proxies counts those that an istiod serves.
	Proxies int `json:"proxies"`
	// Credentials are those by which the primary reads a remote; nil for a primary, and where there are none.
	Credentials *Credentials `json:"credentials,omitempty"`
	// Status is the worst of the cluster's checks, Problems those that are not well, worst first.
	Status   check.Status `json:"status"`
	Problems []Problem    `json:"problems,omitempty"`
}

// Gateway is an east-west gateway.
type Gateway struct {
	Name string `json:"name"`
	// Address is what other clusters reach it by; empty while it has none.
	Address string `json:"address,omitempty"`
	// Ready counts its pods that serve.
	Ready int `json:"ready"`
	// Open is true while its load balancer lets everybody in.
	Open bool `json:"open"`
}

// Credentials are a remote secret's.
type Credentials struct {
	Secret string `json:"secret"`
	// Created is when the secret was; zero where that is not known.
	Created time.Time `json:"created,omitzero"`
	// Ends is when the token does; zero for one without an end.
	Ends time.Time `json:"ends,omitzero"`
}

// Problem is a check that is not well.
type Problem struct {
	ID     string       `json:"id"`
	Status check.Status `json:"status"`
	Seen   string       `json:"seen"`
	Fix    check.Fix    `json:"fix,omitzero"`
}

// Of sums up a mesh that has been looked at deeply and judged.
func Of(m mesh.Mesh, s *snapshot.Snapshot, results []check.Result) Mesh {
	sum := Mesh{ID: m.ID, Revision: m.RevisionLabel(), Namespace: m.Namespace, Status: Worst(results), Istiods: []Istiod{}}
	for _, primary := range m.Primaries() {
		seen := seenOf(s, primary)
		for _, part := range []string{snapshot.APIServer, snapshot.ControlPlanes, snapshot.RemoteSecretsPart} {
			if reason, unread := seen.CouldNotRead(part); unread && sum.Unread == "" {
				sum.Unread = part + ": " + reason
			}
		}
		controlPlane, _ := seen.ControlPlane(m.RevisionLabel())
		sum.TrustDomain = cmp.Or(sum.TrustDomain, controlPlane.TrustDomain)
		for _, replica := range controlPlane.Replicas {
			istiod := istiodOf(replica, m.ReadBy(primary))
			if len(m.Primaries()) > 1 {
				istiod.Cluster = primary.Name
			}
			sum.Istiods = append(sum.Istiods, istiod)
		}
	}
	for _, c := range m.Clusters {
		sum.Clusters = append(sum.Clusters, clusterOf(m, s, c, results))
	}
	sum.Links = links(m, results)
	return sum
}

// seenOf is what was seen of a cluster; nothing where it was not looked at.
func seenOf(s *snapshot.Snapshot, c mesh.Cluster) *snapshot.Cluster {
	if seen := s.Clusters[c.Name]; seen != nil {
		return seen
	}
	return &snapshot.Cluster{}
}

// nameOf is the cluster's name; a primary without a control plane has none yet.
func nameOf(c mesh.Cluster) string { return cmp.Or(c.Name, c.Context) }

func clusterOf(m mesh.Mesh, s *snapshot.Snapshot, c mesh.Cluster, results []check.Result) Cluster {
	sum := Cluster{Name: nameOf(c), Context: c.Context, Role: c.Role, Network: c.Network, Server: c.Server}
	if seen := s.Clusters[c.Name]; seen != nil {
		sum.Server, sum.Kubernetes = seen.Server, seen.KubernetesVersion
		for _, g := range seen.Gateways {
			sum.Gateways = append(sum.Gateways, Gateway{
				Name: g.Name, Address: g.Address, Ready: g.ReadyEndpoints, Open: len(g.SourceRanges) == 0 && len(g.Annotations) == 0,
			})
		}
	}
	if primary, found := m.PrimaryOf(c); found {
		home := seenOf(s, primary)
		controlPlane, _ := home.ControlPlane(m.RevisionLabel())
		sum.Istio, sum.Proxies = running(c, controlPlane)
		if secret, found := facts.SecretOf(home, c.Name); found && c.Role == mesh.Remote {
			sum.Credentials = &Credentials{Secret: secret.Secret, Created: secret.Created, Ends: secret.Ends}
		}
	}
	own := slices.DeleteFunc(slices.Clone(results), func(r check.Result) bool { return r.Cluster != sum.Name })
	sum.Status = Worst(own)
	sum.Problems = problems(own)
	return sum
}

// running are the releases of what runs in a cluster, and how many proxies the control plane serves there.
func running(c mesh.Cluster, controlPlane snapshot.ControlPlane) (releases []string, count int) {
	versions, proxies := map[string]bool{}, map[string]bool{}
	for _, replica := range controlPlane.Replicas {
		if c.Role == mesh.Primary && replica.Version != "" {
			versions[replica.Version] = true
		}
		for _, p := range replica.Proxies {
			if p.Cluster == c.Name {
				proxies[p.ID] = true
				if c.Role == mesh.Remote && p.Version != "" {
					versions[p.Version] = true
				}
			}
		}
	}
	if c.Role == mesh.Primary && len(versions) == 0 && controlPlane.Version != "" {
		versions[controlPlane.Version] = true // no replica runs
	}
	return slices.Sorted(maps.Keys(versions)), len(proxies)
}

// Worst is the worst of the results. What was skipped because another check failed is not known; what had nothing to
// judge says nothing against anybody.
func Worst(results []check.Result) check.Status {
	known := slices.Clone(results)
	for i, r := range known {
		switch {
		case r.Status == check.Skip && r.Needs != "":
			known[i].Status = check.Unknown
		case r.Status == check.Skip:
			known[i].Status = check.Pass
		}
	}
	return check.Worst(known)
}

// problems are the results that are not well, the worst first.
func problems(results []check.Result) []Problem {
	var all []Problem
	for _, status := range []check.Status{check.Fail, check.Unknown, check.Warn} {
		for _, r := range results {
			if r.Status == status {
				all = append(all, Problem{ID: r.ID, Status: r.Status, Seen: r.Seen, Fix: r.Fix})
			}
		}
	}
	return all
}

func istiodOf(replica snapshot.Replica, read []mesh.Cluster) Istiod {
	sum := Istiod{Pod: replica.Pod, Version: replica.Version, Error: replica.Error}
	if sum.Error != "" {
		return sum
	}
	for _, c := range read {
		if facts.SyncOf(replica, c.Name) == facts.Synced {
			sum.Synced = append(sum.Synced, c.Name)
		} else {
			sum.Unsynced = append(sum.Unsynced, c.Name)
		}
	}
	return sum
}
