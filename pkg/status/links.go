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
	// Reads: the primary's istiod reads the remote's API server, with the credentials of its remote secret.
	Reads LinkKind = "reads"
	// Serves: the remote's proxies and webhooks call the primary's istiod, through its gateway.
	Serves LinkKind = "served-by"
)

// links are those between the primary and each remote. A link is as well as the checks that it stands on: its own of the
// remote and, for what all remotes use, those of the primary.
func links(clusters []Cluster, results []check.Result) []Link {
	all := []Link{} // for programs: an empty list, not none
	i := slices.IndexFunc(clusters, func(c Cluster) bool { return c.Role == mesh.Primary })
	if i < 0 {
		return all
	}
	primary := clusters[i].Name
	for _, c := range clusters {
		if c.Role != mesh.Remote {
			continue
		}
		reads := Link{From: primary, To: c.Name, Kind: Reads}
		reads.judge(results, func(r check.Result) bool {
			return r.Cluster == c.Name && slices.Contains([]check.Category{check.Clusters, check.Credentials, check.ControlPlane}, r.Category)
		})
		serves := Link{From: c.Name, To: primary, Kind: Serves}
		serves.judge(results, func(r check.Result) bool {
			return r.Category == check.Gateway && (r.Cluster == c.Name || r.Cluster == primary) ||
				r.Cluster == c.Name && slices.Contains([]check.Category{check.Injection, check.Trust}, r.Category)
		})
		all = append(all, reads, serves)
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
