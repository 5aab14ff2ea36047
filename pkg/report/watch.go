package report

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/kubectl-mesh/kubectl-mesh/pkg/check"
)

// Changes tells of results that are judged again and again only what is new.
type Changes struct {
	// Names is true for lines as Names writes them.
	Names bool

	begun    bool
	clusters []string
	// last is the status that each check had when it last had anything to say. A skipped check keeps what was known of
	// it: when the API server is gone, that is one line and not thirty, and so it is when it is back.
	last map[string]check.Status
}

// Next writes what differs from the results that it was given before; of the first results, nothing. Only a change of
// status counts: texts have times and numbers in them.
func (c *Changes) Next(to io.Writer, style Style, now time.Time, results []check.Result) error {
	w := &strings.Builder{}
	at := style.paint(faint, now.Format(time.TimeOnly))
	order, byCluster := group(merge(plainResults(results)))
	if c.last == nil {
		c.last = map[string]check.Status{}
	}
	for _, cluster := range c.clusters {
		if !slices.Contains(order, cluster) {
			c.forget(cluster)
			if !c.Names {
				fmt.Fprintf(w, "%s %s is no longer part of the mesh\n", at, cluster)
			}
		}
	}
	for _, cluster := range order {
		added := c.begun && !slices.Contains(c.clusters, cluster)
		if added && !c.Names {
			tally := strings.TrimPrefix(Tally(cluster, byCluster[cluster]), cluster+": ")
			fmt.Fprintf(w, "%s %s is part of the mesh now: %s\n", at, cluster, tally)
		}
		for _, r := range byCluster[cluster] {
			if r.Status == check.Skip {
				continue
			}
			before, known := c.last[name(r)]
			c.last[name(r)] = r.Status
			// What passes when it is first looked at is no news, except to a script, which has not been told of it yet.
			if !c.begun || before == r.Status || !known && r.Status == check.Pass && !c.Names {
				continue
			}
			c.tell(w, style, at, r)
		}
	}
	c.begun, c.clusters = true, order
	_, err := io.WriteString(to, w.String())
	return err
}

func (c *Changes) tell(w io.Writer, style Style, at string, r check.Result) {
	if c.Names {
		fmt.Fprintf(w, "%s %s\n", name(r), r.Status)
		return
	}
	symbol, colour := symbolOf(r.Status)
	fmt.Fprintf(w, "%s %s %s %s  %s\n", at, style.paint(colour, symbol), r.Cluster, r.ID, r.Seen)
	if r.Status != check.Pass {
		fmt.Fprint(w, Fix(r.Fix, "         "))
	}
}

func (c *Changes) forget(cluster string) {
	for key := range c.last {
		if strings.HasPrefix(key, "check/"+cluster+"/") {
			delete(c.last, key)
		}
	}
}
