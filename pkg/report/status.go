package report

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/util/duration"

	"github.com/kubectl-mesh/kubectl-mesh/pkg/check"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/mesh"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/status"
)

// Status writes a mesh on one screen: five lines for its health as a whole, then a row for each cluster, then what is not
// well. now is the time to which ages are reckoned.
func Status(to io.Writer, style Style, sum status.Mesh, now time.Time) error {
	return writeStatus(to, style, sum, now, false)
}

// StatusWide is Status with each cluster's context and API server, and with the fix for what is not well.
func StatusWide(to io.Writer, style Style, sum status.Mesh, now time.Time) error {
	return writeStatus(to, style, sum, now, true)
}

func writeStatus(to io.Writer, style Style, sum status.Mesh, now time.Time, wide bool) error {
	w := &strings.Builder{}
	lines := [][]string{
		{"Mesh", health(sum)},
		{"Istiod", istiods(sum)},
		{"Network", networks(sum)},
		{"Synced", synced(sum)},
		{"Credentials", credentials(sum, now)},
	}
	layout := columnsFor(2, lines...)
	for _, line := range lines {
		fmt.Fprintln(w, layout.paragraph(style.Width, style.paint(bold, line[0]), style.paintSymbol(plainLine(line[1]))))
	}
	w.WriteString("\n" + table(style, statusRows(sum, now, wide)))
	w.WriteString(problems(style, sum, wide))
	_, err := io.WriteString(to, w.String())
	return err
}

// problems says what is not well, with the fix where wide.
func problems(style Style, sum status.Mesh, wide bool) string {
	w := &strings.Builder{}
	head := func(c status.Cluster, p status.Problem) string {
		return style.symbol(p.Status) + " " + plainLine(c.Name) + "  " + p.ID
	}
	var heads []string
	for _, c := range sum.Clusters {
		for _, p := range c.Problems {
			heads = append(heads, head(c, p))
		}
	}
	if len(heads) > 0 {
		w.WriteString("\n")
	}
	layout := columnsFor(2, column(heads)...)
	for _, c := range sum.Clusters {
		for _, p := range c.Problems {
			fmt.Fprintln(w, layout.paragraph(style.Width, head(c, p), plainLine(p.Seen)))
			if wide {
				w.WriteString(Fix(p.Fix, "  "))
			}
		}
	}
	return w.String()
}

// health is the mesh in one line.
func health(sum status.Mesh) string {
	names := map[check.Status][]string{}
	for _, c := range sum.Clusters {
		names[c.Status] = append(names[c.Status], c.Name)
	}
	symbol, _ := symbolOf(sum.Status)
	parts := []string{fmt.Sprintf("%d of %s well", len(names[check.Pass]), count(len(sum.Clusters), "cluster"))}
	for _, worse := range []struct {
		status check.Status
		called string
	}{{check.Fail, "broken"}, {check.Unknown, "unknown"}, {check.Warn, "with warnings"}} {
		if len(names[worse.status]) > 0 {
			parts = append(parts, strings.Join(names[worse.status], ", ")+" "+worse.called)
		}
	}
	return fmt.Sprintf("%s %s: %s", symbol, cmp.Or(sum.ID, "(no mesh id)"), strings.Join(parts, "; "))
}

// istiods says which istiods there are, and where.
func istiods(sum status.Mesh) string {
	var where string
	var releases []string
	for _, c := range sum.Clusters {
		if c.Role == mesh.Primary {
			where, releases = c.Name, c.Istio
		}
	}
	if len(releases) == 0 && len(sum.Istiods) == 0 {
		return "none was seen in " + where
	}
	text := fmt.Sprintf("%s in %s, revision %s, %s", strings.Join(releases, " and "), where, sum.Revision, count(len(sum.Istiods), "replica"))
	if sum.TrustDomain != "" {
		text += ", trust domain " + sum.TrustDomain
	}
	return text
}

// networks says which clusters are on which network, and at which addresses the gateways are.
func networks(sum status.Mesh) string {
	var order, parts []string
	on := map[string][]string{}
	for _, c := range sum.Clusters {
		if !slices.Contains(order, c.Network) {
			order = append(order, c.Network)
		}
		on[c.Network] = append(on[c.Network], c.Name)
	}
	for _, network := range order {
		parts = append(parts, cmp.Or(network, "(unnamed)")+": "+strings.Join(on[network], ", "))
	}
	for _, c := range sum.Clusters {
		for _, g := range c.Gateways {
			switch {
			case g.Address == "":
				parts = append(parts, "the gateway of "+c.Name+" has no address")
			case g.Ready == 0:
				parts = append(parts, "the gateway of "+c.Name+" at "+g.Address+" does not serve")
			default:
				parts = append(parts, "gateway of "+c.Name+" at "+g.Address)
			}
		}
	}
	return strings.Join(parts, "; ")
}

// synced says of each replica of istiod which remotes it has read.
func synced(sum status.Mesh) string {
	var parts []string
	for _, replica := range sum.Istiods {
		switch remotes := len(replica.Synced) + len(replica.Unsynced); {
		case replica.Error != "":
			parts = append(parts, replica.Pod+" could not be asked: "+replica.Error)
		case len(replica.Unsynced) > 0:
			parts = append(parts, fmt.Sprintf("%s %d of %d (not %s)", replica.Pod, len(replica.Synced), remotes, strings.Join(replica.Unsynced, ", ")))
		default:
			parts = append(parts, fmt.Sprintf("%s %d of %d", replica.Pod, remotes, remotes))
		}
	}
	if parts == nil {
		return "no istiod was asked"
	}
	return strings.Join(parts, "; ")
}

// credentials says how old those for the remotes are, and when they end.
func credentials(sum status.Mesh, now time.Time) string {
	var held []status.Cluster
	remotes := 0
	for _, c := range sum.Clusters {
		if c.Role == mesh.Remote {
			remotes++
		}
		if c.Credentials != nil {
			held = append(held, c)
		}
	}
	first := fmt.Sprintf("for %d of %s", len(held), count(remotes, "remote"))
	slices.SortStableFunc(held, func(a, b status.Cluster) int { return a.Credentials.Created.Compare(b.Credentials.Created) })
	if len(held) > 0 && !held[0].Credentials.Created.IsZero() {
		first += fmt.Sprintf(", the oldest %s old (%s)", age(held[0].Credentials.Created, now), held[0].Name)
	}
	parts := []string{first}
	for _, c := range held {
		if end := c.Credentials.Ends; !end.IsZero() {
			parts = append(parts, c.Name+" "+ending(end, now))
		}
	}
	return strings.Join(parts, "; ")
}

func ending(end, now time.Time) string {
	if now.After(end) {
		return "ended " + age(end, now) + " ago"
	}
	return "ends in " + age(now, end)
}

// age is how long ago something was, as kubectl writes it.
func age(since, now time.Time) string {
	if since.IsZero() {
		return "-"
	}
	return duration.HumanDuration(now.Sub(since))
}

func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// statusRows are those of the table, the heading first.
func statusRows(sum status.Mesh, now time.Time, wide bool) [][]string {
	heading := []string{"  CLUSTER", "ROLE", "KUBERNETES", "ISTIO", "PROXIES", "SYNCED", "CREDENTIALS"}
	if wide {
		heading = append(heading, "NETWORK", "GATEWAY", "CONTEXT", "API SERVER")
	}
	rows := [][]string{heading}
	for _, c := range sum.Clusters {
		symbol, _ := symbolOf(c.Status)
		row := []string{
			symbol + " " + plainLine(c.Name), string(c.Role), dash(c.Kubernetes), dash(strings.Join(c.Istio, ",")), fmt.Sprint(c.Proxies),
			syncedBy(sum, c), "-",
		}
		if c.Credentials != nil {
			row[6] = age(c.Credentials.Created, now)
		}
		if wide {
			var addresses []string
			for _, g := range c.Gateways {
				addresses = append(addresses, cmp.Or(g.Address, "pending"))
			}
			row = append(row, dash(plainLine(c.Network)), dash(strings.Join(addresses, ",")), dash(plainLine(c.Context)), dash(plainLine(c.Server)))
		}
		rows = append(rows, row)
	}
	return rows
}

// syncedBy says how many of the replicas have read a remote.
func syncedBy(sum status.Mesh, c status.Cluster) string {
	if c.Role == mesh.Primary {
		return "-"
	}
	n := 0
	for _, replica := range sum.Istiods {
		if slices.Contains(replica.Synced, c.Name) {
			n++
		}
	}
	return fmt.Sprintf("%d/%d", n, len(sum.Istiods))
}

func dash(text string) string { return cmp.Or(text, "-") }

// StatusNames writes cluster/NAME, a line each.
func StatusNames(to io.Writer, sum status.Mesh) error {
	w := &strings.Builder{}
	for _, c := range sum.Clusters {
		fmt.Fprintf(w, "cluster/%s\n", plainLine(c.Name))
	}
	_, err := io.WriteString(to, w.String())
	return err
}
