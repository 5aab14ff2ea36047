// Package check judges: what was seen (a Snapshot) against what is wanted (a Mesh). It is pure. A check is data; its
// id is the one under which docs/checks.md explains it. What could not be looked at is unknown, never passed.
package check

// Check is one question and how to answer it.
type Check struct {
	// ID is stable, and names the cause.
	ID string `json:"id"`
	// Subject is the kind of thing that it is about.
	Subject  Subject  `json:"subject"`
	Category Category `json:"category"`
	// Title is the question as a statement that holds when the check passes.
	Title string `json:"title"`
	// Severity is the worst that it comes to where something is wrong: Fail, or Warn for what a mesh can live with.
	Severity Status `json:"severity"`
	// Why says how it comes about and what it does to a mesh.
	Why string `json:"why"`
	// Fix says how to fix it; a result's Fix has the command, with its names.
	Fix string `json:"fix"`
	// Before are the commands that refuse to write while this check fails.
	Before []string `json:"before,omitempty"`
	// Verify is true when `verify` asks it of a finished mesh.
	Verify bool `json:"verify"`
	// Preflight is true when `preflight` asks it of clusters that are to become one.
	Preflight bool `json:"preflight"`
	// Needs are the ids of checks: where one of them has failed for a cluster, this one is skipped for it.
	Needs []string `json:"needs,omitempty"`
	// NeedsOfPrimary are the ids of checks: where one of them has failed for the primary, this one is skipped for its remotes.
	NeedsOfPrimary []string `json:"needsOfPrimary,omitempty"`
	// Docs is where it is explained.
	Docs string `json:"docs"`

	// judge judges a mesh that is there. judgeBefore judges what a command is about to make; where it is nil, judge does that too.
	judge, judgeBefore func(v view) []Result
}

// Subject is a kind of thing that checks are about.
type Subject string

// What checks are about.
const (
	// OfCluster: a cluster by itself, whoever reads and serves it.
	OfCluster Subject = "cluster"
	// OfControlPlane: a control plane with its gateway.
	OfControlPlane Subject = "control-plane"
	// OfLink: a control plane and a cluster that it reads or serves.
	OfLink Subject = "link"
	// OfNetwork: the clusters of a network.
	OfNetwork Subject = "network"
	// OfCalls: calls from one cluster's pods to another's.
	OfCalls Subject = "calls"
)

// Subjects are all of them.
func Subjects() []Subject { return []Subject{OfCluster, OfControlPlane, OfLink, OfNetwork, OfCalls} }

// perControlPlane is true for what each control plane of a mesh has of its own.
func (s Subject) perControlPlane() bool { return s == OfControlPlane || s == OfLink }

// Category is the part of a mesh that a check is about.
type Category string

// The categories.
const (
	Clusters     Category = "clusters"
	ControlPlane Category = "control-plane"
	Gateway      Category = "gateway"
	Credentials  Category = "credentials"
	Injection    Category = "injection"
	Network      Category = "network"
	Trust        Category = "trust"
	Proxies      Category = "proxies"
	Traffic      Category = "traffic"
)

// Categories are all categories, from the ground up.
func Categories() []Category {
	return []Category{Clusters, ControlPlane, Gateway, Credentials, Injection, Network, Trust, Proxies, Traffic}
}

// Docs is the page that explains every check.
const Docs = "https://github.com/kubectl-mesh/kubectl-mesh/blob/main/docs/checks.md"

// Charts is what the charts at hand can install.
type Charts struct {
	// Release is Istio's release of the charts.
	Release string
	// OldestKubernetes is the lowest minor version of Kubernetes 1.x that they support.
	OldestKubernetes int
}
