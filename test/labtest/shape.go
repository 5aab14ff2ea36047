package labtest

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Options say which clusters a test needs.
type Options struct {
	Clusters int
	// NodelessFrom is the number of the first cluster without a node; 0 is none. Those without share a CA, which does not
	// tell them apart.
	NodelessFrom int
	// Networks are those of clusters, by name, where it is not network1.
	Networks map[string]string
	// AggregatorRouting are the clusters whose API servers call webhooks at the endpoints of their Services.
	AggregatorRouting []string
}

// args are those of the lab's program that make such clusters.
func (o Options) args() []string {
	args := []string{"--clusters", fmt.Sprint(o.Clusters), "--nodeless-from", fmt.Sprint(o.NodelessFrom)}
	for _, cluster := range slices.Sorted(maps.Keys(o.Networks)) {
		args = append(args, "--network", cluster+"="+o.Networks[cluster])
	}
	if len(o.AggregatorRouting) > 0 {
		args = append(args, "--aggregator-routing", strings.Join(o.AggregatorRouting, ","))
	}
	if o.NodelessFrom > 0 && o.NodelessFrom <= o.Clusters {
		args = append(args, "--shared-ca", strings.Join(names(o.Clusters)[o.NodelessFrom-1:], ","))
	}
	return args
}

// shape is what a lab's clusters are and stay, in their order. Aggregator routing is none of it: up changes that.
type shape []string

func (o Options) shape() shape {
	var s shape
	for i, name := range names(o.Clusters) {
		kind := "node"
		if o.NodelessFrom > 0 && i+1 >= o.NodelessFrom {
			kind = "nodeless"
		}
		if network := o.Networks[name]; network != "" {
			kind += "@" + network
		}
		s = append(s, kind)
	}
	return s
}

// fits is whether a lab of this shape serves somebody who wants the other: it may have more clusters, and up adds those
// that it lacks.
func (s shape) fits(wanted shape) bool {
	both := min(len(s), len(wanted))
	return slices.Equal(s[:both], wanted[:both])
}

// names are those of the first clusters of a lab.
func names(count int) []string {
	all := make([]string, 0, count)
	for i := range count {
		all = append(all, fmt.Sprintf("cluster%d", i+1))
	}
	return all
}
