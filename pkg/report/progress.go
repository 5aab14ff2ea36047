package report

import (
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"github.com/kubectl-mesh/kubectl-mesh/pkg/run"
)

// Progress shows steps as they run: on a terminal with a live last line, elsewhere as plain lines. Start it before
// the run, give Event to the run, and Stop it afterwards.
type Progress struct {
	w       io.Writer
	style   Style
	verbose bool

	mu       sync.Mutex
	running  []run.Event
	clusters columns
	frame    int
	stop     chan struct{}
	finished sync.WaitGroup
}

// frameTime is how often the live line moves.
const frameTime = 100 * time.Millisecond

// waitedLong is how long a step may run off a terminal before a line says what it waits for.
const waitedLong = 3 * time.Second

// NewProgress makes a Progress that writes to w. names are the clusters' names, for a column of their width.
func NewProgress(w io.Writer, style Style, verbose bool, names []string) *Progress {
	return &Progress{w: w, style: style, verbose: verbose, clusters: columnsFor(2, column(names)...), stop: make(chan struct{})}
}

// Start begins the live line, where there is one.
func (p *Progress) Start() {
	if !p.style.Live {
		return
	}
	p.finished.Go(func() {
		ticker := time.NewTicker(frameTime)
		defer ticker.Stop()
		for {
			select {
			case <-p.stop:
				return
			case <-ticker.C:
				p.mu.Lock()
				p.frame++
				p.live()
				p.mu.Unlock()
			}
		}
	})
}

// Stop ends the live line.
func (p *Progress) Stop() {
	close(p.stop)
	p.finished.Wait()
	p.mu.Lock()
	defer p.mu.Unlock()
	p.running = nil
	p.erase()
}

// Event shows one event.
func (p *Progress) Event(e run.Event) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch e.Kind {
	case run.Started:
		p.running = append(p.running, e)
		if p.verbose && !p.style.Live {
			p.line("…", "", e, "", "")
		}
	case run.Progress:
		for i := range p.running {
			if p.running[i].Step.ID == e.Step.ID {
				p.running[i].Detail = e.Detail
			}
		}
		if p.verbose || !p.style.Live && e.Took > waitedLong {
			p.line("…", "", e, e.Detail, "")
		}
	default:
		p.end(e)
	}
	p.live()
}

func (p *Progress) end(e run.Event) {
	for i := range p.running {
		if p.running[i].Step.ID == e.Step.ID {
			p.running = append(p.running[:i], p.running[i+1:]...)
			break
		}
	}
	took := p.style.paint(faint, fmt.Sprintf(" (%s)", Duration(e.Took)))
	switch e.Kind {
	case run.Done:
		p.line("✓", green, e, e.Detail, took)
	case run.Failed:
		p.line("✗", red, e, "failed", took)
	case run.Skipped:
		p.line("-", yellow, e, "skipped, since "+e.Detail+" failed", "")
	case run.Cancelled:
		p.line("-", yellow, e, "interrupted", "")
	}
}

func (p *Progress) line(symbol, colour string, e run.Event, detail, took string) {
	p.erase()
	if detail != "" {
		detail = ": " + detail
	}
	fmt.Fprintln(p.w, p.style.paint(colour, symbol), p.clusters.line(e.Step.Cluster, e.Step.Title+plainLine(detail)+took))
}

func (p *Progress) erase() {
	if p.style.Live {
		fmt.Fprint(p.w, "\r\x1b[K")
	}
}

// live writes what runs now on the last line.
func (p *Progress) live() {
	if !p.style.Live || len(p.running) == 0 {
		return
	}
	frames := []rune("⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏")
	var parts []string
	for _, e := range p.running {
		part := e.Step.Cluster + ": " + e.Step.Title
		if e.Detail != "" {
			part += ": " + e.Detail
		}
		parts = append(parts, part)
	}
	text := fmt.Sprintf("%c %s", frames[p.frame%len(frames)], strings.Join(parts, " · "))
	p.erase()
	fmt.Fprint(p.w, cut(plainLine(text), p.style.Width-1))
}

// Duration writes a duration as people read it: 0.3s, 12s, 2m5s.
func Duration(d time.Duration) string {
	switch {
	case d.Round(time.Second/10) < 10*time.Second:
		return fmt.Sprintf("%.1fs", d.Seconds())
	case d.Round(time.Second) < time.Minute:
		return fmt.Sprintf("%.0fs", d.Seconds())
	}
	return d.Round(time.Second).String()
}
