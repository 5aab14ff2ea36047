// Package check judges: what was seen (a Snapshot) against what is wanted (a Mesh). It is pure. A check is data; its
// id is the one under which docs/checks.md explains it. What could not be looked at is unknown, never passed.
package check

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/kubectl-mesh/kubectl-mesh/pkg/command"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/mesh"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/snapshot"
)

// Status is what a check came to.
type Status string

// The statuses, from good to bad.
const (
	Pass    Status = "pass"
	Skip    Status = "skip"
	Warn    Status = "warn"
	Unknown Status = "unknown"
	Fail    Status = "fail"
)

// Result is one judgement. Its JSON is documented in docs/guide/output.md, and stable.
type Result struct {
	// ID, Category and Title are the check's; the title says what was expected.
	ID       string   `json:"id"`
	Category Category `json:"category"`
	Title    string   `json:"title"`
	// Cluster is the cluster that it is about.
	Cluster string `json:"cluster"`
	// To is the other cluster, where it is about calls from one to another.
	To     string `json:"to,omitempty"`
	Status Status `json:"status"`
	// Seen says what was found, naming the object.
	Seen string `json:"seen"`
	// Fix is what to do about it.
	Fix Fix `json:"fix,omitzero"`
	// Needs is the id of the check that stands in the way of a skipped one.
	Needs string `json:"needs,omitempty"`
	// Docs is where the check is explained.
	Docs string `json:"docs"`

	// cause is why a part could not be looked at: what several parts have in common is told once.
	cause string
}

// Check is one question and how to answer it.
type Check struct {
	// ID is stable; where facts about Istio meshes in docs/checks.md have the cause, it is theirs.
	ID       string   `json:"id"`
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
	// Needs are the ids of the checks without which this one says nothing new.
	Needs []string `json:"needs,omitempty"`
	// NeedsOfPrimary are those without which, if they fail for the primary, it says nothing new of a remote.
	NeedsOfPrimary []string `json:"needsOfPrimary,omitempty"`
	// Docs is where it is explained.
	Docs string `json:"docs"`

	judge func(v view) []Result
}

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

// The commands that a check can stand before.
const (
	BeforeInstall = "install-primary"
	BeforeExpose  = "expose-istiod"
	BeforeAttach  = "attach-remote"
)

// Charts is what the charts at hand can install.
type Charts struct {
	// Release is Istio's release of the charts.
	Release string
	// OldestKubernetes is the lowest minor version of Kubernetes 1.x that they support.
	OldestKubernetes int
}

// view is what a judgement sees.
type view struct {
	mesh     mesh.Mesh
	snapshot *snapshot.Snapshot
	charts   Charts
	command  string
	caller   command.Caller
}

// For are the checks that a command asks: verify, preflight, or one that writes.
func For(asker string) []Check {
	return slices.DeleteFunc(All(), func(c Check) bool {
		switch asker {
		case "verify":
			return !c.Verify
		case "preflight":
			return !c.Preflight
		}
		return !slices.Contains(c.Before, asker)
	})
}

// Gate judges what must hold before a command writes. The commands of the fixes carry along what the caller's had.
func Gate(asker string, m mesh.Mesh, s *snapshot.Snapshot, charts Charts, caller command.Caller) []Result {
	return judge(For(asker), view{mesh: m, snapshot: s, charts: charts, command: asker, caller: caller})
}

// Verify judges a finished mesh.
func Verify(m mesh.Mesh, s *snapshot.Snapshot, charts Charts, caller command.Caller) []Result {
	return Gate("verify", m, s, charts, caller)
}

// Preflight judges clusters before anything is written to them.
func Preflight(m mesh.Mesh, s *snapshot.Snapshot, charts Charts, caller command.Caller) []Result {
	return Gate("preflight", m, s, charts, caller)
}

// judge asks the checks in order. Where one that a check needs has failed for a cluster, the check is skipped there,
// and so is one that could not look for the reason that another has given: one cause is named once.
func judge(checks []Check, v view) []Result {
	var results []Result
	bad := map[string]bool{}
	said := map[string]string{}
	primary, _ := v.mesh.Primary()
	for _, c := range checks {
		for _, r := range c.judge(v) {
			for _, need := range c.Needs {
				if r.Status != Pass && bad[need+"/"+r.Cluster] {
					r = Result{Cluster: r.Cluster, To: r.To, Status: Skip, Seen: "needs " + need}
				}
			}
			for _, need := range c.NeedsOfPrimary {
				if r.Status != Pass && r.Cluster != label(primary) && bad[need+"/"+label(primary)] {
					r = Result{Cluster: r.Cluster, To: r.To, Status: Skip, Seen: "needs " + need}
				}
			}
			if reason := r.Cluster + "/" + cmp.Or(r.cause, r.Seen); r.Status == Unknown {
				if first, again := said[reason]; again {
					r = Result{Cluster: r.Cluster, To: r.To, Status: Skip, Seen: "needs " + first}
				} else {
					said[reason] = c.ID
				}
			}
			r.ID, r.Category, r.Title, r.Docs = c.ID, c.Category, c.Title, c.Docs
			r.Fix = v.withLacking(r.Fix)
			if r.Status == Skip {
				if need, named := strings.CutPrefix(r.Seen, "needs "); named {
					r.Needs = need
				}
			}
			// A check that had nothing to judge says nothing against those that need it.
			if r.Status == Fail || r.Status == Unknown || r.Needs != "" {
				bad[c.ID+"/"+r.Cluster] = true
			}
			results = append(results, r)
		}
	}
	return results
}

// Worst is the worst status among the results.
func Worst(results []Result) Status {
	order := []Status{Pass, Skip, Warn, Unknown, Fail}
	worst := Pass
	for _, r := range results {
		if slices.Index(order, r.Status) > slices.Index(order, worst) {
			worst = r.Status
		}
	}
	return worst
}

// each asks about every cluster of the mesh, under the name by which the user knows it.
func (v view) each(ask func(c mesh.Cluster, seen *snapshot.Cluster) []Result) []Result {
	return v.over(v.mesh.Clusters, ask)
}

// remotes asks about every remote.
func (v view) remotes(ask func(c mesh.Cluster, seen *snapshot.Cluster) []Result) []Result {
	return v.over(v.mesh.Remotes(), ask)
}

// primary asks about the primary.
func (v view) primary(ask func(c mesh.Cluster, seen *snapshot.Cluster) []Result) []Result {
	p, found := v.mesh.Primary()
	if !found {
		return nil
	}
	return v.over([]mesh.Cluster{p}, ask)
}

func (v view) over(clusters []mesh.Cluster, ask func(mesh.Cluster, *snapshot.Cluster) []Result) []Result {
	var results []Result
	for _, c := range clusters {
		seen := v.snapshot.Clusters[c.Name]
		if seen == nil {
			seen = &snapshot.Cluster{Name: c.Name, Context: c.Context,
				Unreadable: []snapshot.Unreadable{{What: snapshot.APIServer, Reason: "no context leads to this cluster"}}}
		}
		for _, r := range ask(c, seen) {
			if r.Cluster == "" {
				r.Cluster = label(c)
			}
			results = append(results, r)
		}
	}
	return results
}

// label is the cluster's name, or its context while it has none.
func label(c mesh.Cluster) string {
	if c.Name != "" {
		return c.Name
	}
	return c.Context
}

// plane is the primary's control plane of the mesh's revision.
func (v view) plane() (snapshot.ControlPlane, bool) {
	p, found := v.mesh.Primary()
	if !found || v.snapshot.Clusters[p.Name] == nil {
		return snapshot.ControlPlane{}, false
	}
	return v.snapshot.Clusters[p.Name].ControlPlane(v.mesh.RevisionLabel())
}

func pass(format string, args ...any) []Result {
	return []Result{{Status: Pass, Seen: fmt.Sprintf(format, args...)}}
}

func fail(fix Fix, format string, args ...any) []Result {
	return []Result{{Status: Fail, Seen: fmt.Sprintf(format, args...), Fix: fix}}
}

func warn(fix Fix, format string, args ...any) []Result {
	return []Result{{Status: Warn, Seen: fmt.Sprintf(format, args...), Fix: fix}}
}

func skip(reason string) []Result {
	return []Result{{Status: Skip, Seen: reason}}
}

// blind is the result for a part of the cluster that could not be read, or nil when it could.
func blind(seen *snapshot.Cluster, what string) []Result {
	for _, part := range []string{snapshot.APIServer, what} {
		if reason, could := seen.CouldNotRead(part); could {
			return []Result{{Status: Unknown, Seen: fmt.Sprintf("could not look at %s: %s", what, reason), cause: reason}}
		}
	}
	return nil
}
