package report

import (
	"cmp"
	"encoding/xml"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/kubectl-mesh/kubectl-mesh/pkg/check"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/mesh"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/status"
)

// The picture's measures, in pixels. A mesh is drawn as a trunk that goes down from the primary, with the remotes at both
// sides of it; the networks are bands across it.
const (
	cardWidth = 270
	branch    = 120 // from the trunk to a card
	margin    = 24
	gap       = 22 // between cards, one below the other
	lineHigh  = 19
	cardTop   = 32 // where a card's lines begin
	bandTop   = 40 // where a band's cards begin
	picture   = 2 * (margin + margin + cardWidth + branch)
	middle    = picture / 2
	apart     = 16 // the two lines of a remote are so far from each other
)

// manyTroubles are more than a card names.
const manyTroubles = 4

// SVG writes the mesh as a picture (https://www.w3.org/TR/SVG11/) that fits a light page and a dark one. now is the time
// to which ages are reckoned.
func SVG(to io.Writer, sum status.Mesh, now time.Time) error {
	p := &svg{sum: sum, now: now}
	p.draw()
	title := plainLine("Mesh " + cmp.Or(sum.ID, "without an id"))
	w := &strings.Builder{}
	fmt.Fprintf(w, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" width="%d" height="%d" role="img">`+"\n", picture, p.bottom, picture, p.bottom)
	fmt.Fprintf(w, "<title>%s</title>\n%s", escaped(title), svgStyle)
	fmt.Fprintf(w, `<rect class="page" width="%d" height="%d"/>`+"\n", picture, p.bottom)
	w.WriteString(p.bands.String() + p.lines.String() + p.cards.String() + "</svg>\n")
	_, err := io.WriteString(to, w.String())
	return err
}

// svgStyle has every colour twice, since not every viewer knows CSS's variables.
const svgStyle = `<style>
svg { font: 13px system-ui, sans-serif; }
.page { fill: #ffffff; } .band { fill: #f0f4fb; stroke: #c3d0e6; } .card { fill: #ffffff; stroke-width: 1.5; }
.trunk { stroke: #8c959f; stroke-width: 2; fill: none; } .link { stroke-width: 2; fill: none; } .broken { stroke-dasharray: 5 4; }
text { fill: #1f2328; } .soft { fill: #59636e; } .name { font-size: 15px; font-weight: 600; } .small { font-size: 11px; }
.pass { stroke: #1a7f37; } .warn, .unknown { stroke: #9a6700; } .fail { stroke: #cf222e; }
.is-pass { fill: #1a7f37; } .is-warn, .is-unknown { fill: #9a6700; } .is-fail { fill: #cf222e; }
@media (prefers-color-scheme: dark) {
  .page { fill: #0d1117; } .band { fill: #151b26; stroke: #2f3b50; } .card { fill: #0d1117; } .trunk { stroke: #6e7681; }
  text { fill: #f0f6fc; } .soft { fill: #9198a1; }
  .pass { stroke: #3fb950; } .warn, .unknown { stroke: #d29922; } .fail { stroke: #f85149; }
  .is-pass { fill: #3fb950; } .is-warn, .is-unknown { fill: #d29922; } .is-fail { fill: #f85149; }
}
</style>
`

// svg is a picture that is being drawn, in three layers.
type svg struct {
	sum                 status.Mesh
	now                 time.Time
	bands, lines, cards strings.Builder
	bottom              int
}

func (p *svg) draw() {
	y := margin
	text(&p.cards, margin, y+14, "name", "Mesh "+cmp.Or(p.sum.ID, "without an id"))
	symbol, _ := symbolOf(p.sum.Status)
	_, boxLines, _ := strings.Cut(health(p.sum), ": ")
	text(&p.cards, margin, y+36, "is-"+string(p.sum.Status), cut(symbol+" "+boxLines, 105))
	y += 54
	trunkFrom, trunkTo := 0, 0
	networks := areas(p.sum)
	for i, a := range networks {
		top := y
		text(&p.cards, 2*margin-8, top+24, "soft", cut(a.title(), 60))
		y += bandTop
		remotes := slices.Clone(a.clusters)
		if at := slices.IndexFunc(remotes, func(c status.Cluster) bool { return c.Role == mesh.Primary }); at >= 0 {
			height := p.card(middle-cardWidth/2, y, remotes[at])
			y += height + gap
			trunkFrom = y - gap
			remotes = slices.Delete(remotes, at, at+1)
		}
		for len(remotes) > 0 {
			if last := i == len(networks)-1 && len(remotes) == 1; last {
				y += 2 * gap // room for the words beside the lines
				trunkTo = y - 3*gap + 2
				p.below(trunkTo, y, remotes[0])
				if trunkTo > trunkFrom+2 { // else the lines begin at the primary itself
					fmt.Fprintf(&p.lines, `<path class="trunk" d="M%d %dH%d"/>`+"\n", middle-apart/2, trunkTo, middle+apart/2)
				}
				y += p.card(middle-cardWidth/2, y, remotes[0]) + gap
				break
			}
			row := remotes[:min(2, len(remotes))]
			high := 0
			for side, c := range row {
				high = max(high, p.beside(y, side == 1, c))
			}
			trunkTo = y + cardTop + apart
			y += high + gap
			remotes = remotes[len(row):]
		}
		fmt.Fprintf(&p.bands, `<rect class="band" x="%d" y="%d" width="%d" height="%d" rx="12"/>`+"\n", margin, top, picture-2*margin, y-top)
		y += margin / 2
	}
	if trunkFrom > 0 && trunkTo > trunkFrom+2 {
		fmt.Fprintf(&p.lines, `<path class="trunk" d="M%d %dV%d"/>`+"\n", middle, trunkFrom, trunkTo)
	}
	text(&p.cards, margin, y+12, "small soft", "reads: istiod watches the remote's API server. served by: the remote's proxies and webhooks call istiod.")
	p.bottom = y + margin
}

// beside draws a remote at one side of the trunk, with its lines to it, and returns its height.
func (p *svg) beside(y int, right bool, c status.Cluster) int {
	x, near, turn := middle-branch-cardWidth, middle-branch, -1
	if right {
		x, near, turn = middle+branch, middle+branch, 1
	}
	for _, l := range p.linksOf(c) {
		at, from, to, beside := y+cardTop, middle, near-2*turn, -5
		if l.Kind == status.Serves {
			at, from, to, beside = at+apart, near, middle+2*turn, 13
		}
		p.link(l, from, at, to, at)
		text(&p.lines, middle+turn*branch/2, at+beside, "small soft mid", word(l))
	}
	return p.card(x, y, c)
}

// below draws the lines to the remote at the trunk's end.
func (p *svg) below(from, to int, c status.Cluster) {
	for _, l := range p.linksOf(c) {
		if l.Kind == status.Reads {
			p.link(l, middle-apart/2, from, middle-apart/2, to-2)
			text(&p.lines, middle-apart/2-8, (from+to)/2+4, "small soft end", word(l))
			continue
		}
		p.link(l, middle+apart/2, to, middle+apart/2, from+2)
		text(&p.lines, middle+apart/2+8, (from+to)/2+4, "small soft", word(l))
	}
}

// linksOf are those between a remote and the primary.
func (p *svg) linksOf(c status.Cluster) []status.Link {
	return slices.DeleteFunc(slices.Clone(p.sum.Links), func(l status.Link) bool { return l.From != c.Name && l.To != c.Name })
}

// word is what a link is for, with a mark where it is not well.
func word(l status.Link) string {
	words := map[status.LinkKind]string{status.Reads: "reads", status.Serves: "served by"}[l.Kind]
	if l.Status == check.Pass {
		return words
	}
	symbol, _ := symbolOf(l.Status)
	return words + " " + symbol
}

// link draws a line with an arrowhead at its end.
func (p *svg) link(l status.Link, x1, y1, x2, y2 int) {
	class := string(l.Status)
	if l.Status != check.Pass {
		class += " broken"
	}
	fmt.Fprintf(&p.lines, `<path class="link %s" d="M%d %dL%d %d"/>`, class, x1, y1, x2, y2)
	dx, dy := sign(x2-x1), sign(y2-y1)
	fmt.Fprintf(&p.lines, `<path class="is-%s" d="M%d %dL%d %dL%d %dZ"><title>%s</title></path>`+"\n", l.Status, x2+2*dx, y2+2*dy,
		x2-7*dx+4*dy, y2-7*dy+4*dx, x2-7*dx-4*dy, y2-7*dy-4*dx, escaped(plainLine(l.From+" "+caption(l)+" "+l.To)))
}

func sign(n int) int { return cmp.Compare(n, 0) }

// card draws a cluster and returns its height.
func (p *svg) card(x, y int, c status.Cluster) int {
	lines := boxLines(p.sum, c)
	if c.Credentials != nil && !c.Credentials.Created.IsZero() {
		lines = append(lines, "credentials "+age(c.Credentials.Created, p.now)+" old")
	}
	troubles := troublesOf(c)
	symbol, _ := symbolOf(c.Status)
	for i := range troubles {
		if i == manyTroubles-1 && len(troubles) > manyTroubles {
			troubles = append(troubles[:i:i], fmt.Sprintf("and %d more", len(troubles)-i))
			break
		}
	}
	height := cardTop + lineHigh*(len(lines)+len(troubles)) + 8
	height = max(height, cardTop+2*apart+10)
	fmt.Fprintf(&p.cards, `<rect class="card %s" x="%d" y="%d" width="%d" height="%d" rx="8"/>`+"\n", c.Status, x, y, cardWidth, height)
	text(&p.cards, x+14, y+23, "name", cut(c.Name, 26))
	text(&p.cards, x+cardWidth-14, y+23, "name end is-"+string(c.Status), symbol)
	at := y + cardTop + 11
	for _, line := range lines {
		text(&p.cards, x+14, at, "soft", cut(line, 38))
		at += lineHigh
	}
	for _, id := range troubles {
		text(&p.cards, x+14, at, "is-"+string(c.Status), cut(id, 38))
		at += lineHigh
	}
	return height
}

// text writes a line; its class may say that it ends, or has its middle, at x.
func text(w *strings.Builder, x, y int, class, line string) {
	anchor := ""
	for name, value := range map[string]string{"end": "end", "mid": "middle"} {
		if slices.Contains(strings.Fields(class), name) {
			anchor = ` text-anchor="` + value + `"`
		}
	}
	fmt.Fprintf(w, `<text class="%s" x="%d" y="%d"%s>%s</text>`+"\n", class, x, y, anchor, escaped(plainLine(line)))
}

// escaped is text as XML has it.
func escaped(text string) string {
	w := &strings.Builder{}
	_ = xml.EscapeText(w, []byte(text)) // a Builder takes everything
	return w.String()
}
