// Package bench races kubectl-mesh against Istio's guide as a script (guide.sh), on equal clusters, side by side.
package bench

import (
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"
	"text/tabwriter"
	"time"
)

// run is one run of a program.
type run struct {
	took time.Duration
	// cpu is how long it and its children kept processors busy. Other work on the machine hardly changes it.
	cpu time.Duration
	// memory is the highest resident memory, in bytes, of the program or any of its children.
	memory int64
	steps  []step
}

// step is a part of a run, as the program itself reports it.
type step struct {
	title string
	took  time.Duration
}

// reported matches the script's lines, as in ` 1.435 s  title`, and those of kubectl-mesh, as in `✓ west  Title: detail (0.3s)`.
var reported = regexp.MustCompile(`(?m)^ *([0-9.]+) s  (.+)$|^✓ (\S+ +[^:\n]+).* \(([0-9.hm]+s)\)$`)

// stepsOf reads how long each step took, from what a program wrote to stderr.
func stepsOf(stderr string) []step {
	var steps []step
	for _, m := range reported.FindAllStringSubmatch(stderr, -1) {
		title, took := m[2], m[1]+"s"
		if title == "" {
			title, took = m[3], m[4]
		}
		if parsed, err := time.ParseDuration(took); err == nil {
			steps = append(steps, step{strings.Join(strings.Fields(title), " "), parsed})
		}
	}
	return steps
}

// median of durations. None of it is worth an average: one round that another process disturbs should not count.
func median(durations []time.Duration) time.Duration {
	sorted := slices.Sorted(slices.Values(durations))
	if len(sorted)%2 == 1 {
		return sorted[len(sorted)/2]
	}
	return (sorted[len(sorted)/2-1] + sorted[len(sorted)/2]) / 2
}

// series are the runs of one contestant.
type series []run

func (s series) median() time.Duration {
	var took []time.Duration
	for _, r := range s {
		took = append(took, r.took)
	}
	return median(took)
}

func (s series) cpu() time.Duration {
	var worked []time.Duration
	for _, r := range s {
		worked = append(worked, r.cpu)
	}
	return median(worked)
}

func (s series) memory() int64 {
	var peak int64
	for _, r := range s {
		peak = max(peak, r.memory)
	}
	return peak
}

// String lists the runs, and where their time went: each step's median, in the order in which the steps end.
func (s series) String() string {
	var (
		text   strings.Builder
		titles []string
	)
	byTitle := map[string][]time.Duration{}
	for _, r := range s {
		fmt.Fprintf(&text, " %.2f", r.took.Seconds())
		for _, part := range r.steps {
			if byTitle[part.title] == nil {
				titles = append(titles, part.title)
			}
			byTitle[part.title] = append(byTitle[part.title], part.took)
		}
	}
	fmt.Fprintf(&text, " s; medians %.2f s, %.2f s of CPU; peak memory %d MB\n", s.median().Seconds(), s.cpu().Seconds(), s.memory()/1e6)
	for _, title := range titles {
		fmt.Fprintf(&text, "  %6.2f s  %s\n", median(byTitle[title]).Seconds(), title)
	}
	return text.String()
}

// result is a line of the closing table; one without a target is for information.
type result struct {
	what, measured, target string
	met                    bool
}

// printTable says of every target what was measured.
func printTable(w io.Writer, results []result) {
	if len(results) == 0 {
		return
	}
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "\nMEASURED\t\tTARGET\t")
	for _, r := range results {
		verdict := "missed"
		switch {
		case r.target == "":
			verdict = ""
		case r.met:
			verdict = "met"
		}
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\n", r.what, r.measured, r.target, verdict)
	}
	table.Flush()
}
