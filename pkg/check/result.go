package check

import (
	"fmt"
	"slices"

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
	// Subject is the kind of thing that it is about.
	Subject Subject `json:"subject,omitempty"`
	// Cluster is the cluster that it is about.
	Cluster string `json:"cluster"`
	// To is the other cluster, where it is about calls from one to another.
	To string `json:"to,omitempty"`
	// ControlPlane is the cluster whose control plane it is about, in a mesh that has several.
	ControlPlane string `json:"controlPlane,omitempty"`
	// Network is the network that it is about, where it is about one.
	Network string `json:"network,omitempty"`
	Status  Status `json:"status"`
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

// needs is the result where nothing can be judged before another check passes.
func needs(id string) []Result {
	return []Result{{Status: Skip, Seen: "needs " + id, Needs: id}}
}

// unknown is the result where nobody could look, or tell from what was seen.
func unknown(fix Fix, format string, args ...any) []Result {
	return []Result{{Status: Unknown, Seen: fmt.Sprintf(format, args...), Fix: fix}}
}

// unreadable is the result for a part of the cluster that could not be read, or nil when it could.
func unreadable(seen *snapshot.Cluster, what string) []Result {
	for _, part := range []string{snapshot.APIServer, what} {
		if reason, could := seen.CouldNotRead(part); could {
			return []Result{{Status: Unknown, Seen: fmt.Sprintf("could not look at %s: %s", what, reason), cause: reason}}
		}
	}
	return nil
}
