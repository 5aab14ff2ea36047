package status

import (
	"slices"

	"github.com/kubectl-mesh/kubectl-mesh/pkg/check"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/mesh"
)

// Link is how one cluster depends on another.
type Link struct {
	From string `json:"from"`
	To   string `json:"to"`
	// Kind is one of the words below.
	Kind LinkKind `json:"kind"`
	// Status is the worst of the checks that it stands on, Because their ids where they are not well.
	Status  check.Status `json:"status"`
	Because []string     `json:"because,omitempty"`
}

// LinkKind is what a link is for.
type LinkKind string

// The kinds of links.
const (
	// Reads: a primary's istiod reads the cluster's API server, with the credentials of its remote secret.
	Reads LinkKind = "reads"
	// Serves: the remote's proxies and webhooks call the primary's istiod, through its gateway.
	Serves LinkKind = "served-by"
)

// links are those of each control plane with the clusters that it reads and serves beside its own. A link is as well as the checks
// that it stands on: its own of the cluster and, for what all remotes use, those of the primary.
func links(m mesh.Mesh, results []check.Result) []Link {
	all := []Link{} // for programs: an empty list, not none
	for _, p := range m.Primaries() {
		primary := nameOf(p)
		own := slices.DeleteFunc(slices.Clone(results), func(r check.Result) bool { return r.ControlPlane != "" && r.ControlPlane != primary })
		for _, c := range m.ReadBy(p) {
			reads := Link{From: primary, To: nameOf(c), Kind: Reads}
			reads.judge(own, func(r check.Result) bool {
				return r.Cluster == reads.To && slices.Contains([]check.Category{check.Clusters, check.Credentials, check.ControlPlane}, r.Category)
			})
			all = append(all, reads)
			if server, found := m.PrimaryOf(c); !found || server.Name != p.Name {
				continue
			}
			serves := Link{From: nameOf(c), To: primary, Kind: Serves}
			serves.judge(own, func(r check.Result) bool {
				return r.Category == check.Gateway && (r.Cluster == serves.From || r.Cluster == primary) ||
					r.Cluster == serves.From && slices.Contains([]check.Category{check.Injection, check.Trust}, r.Category)
			})
			all = append(all, serves)
		}
	}
	return all
}

func (l *Link) judge(results []check.Result, concerns func(check.Result) bool) {
	own := slices.DeleteFunc(slices.Clone(results), func(r check.Result) bool { return !concerns(r) })
	l.Status = Worst(own)
	for _, p := range problems(own) {
		if !slices.Contains(l.Because, p.ID) {
			l.Because = append(l.Because, p.ID)
		}
	}
}
