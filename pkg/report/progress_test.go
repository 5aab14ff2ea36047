package report

import (
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/kubectl-mesh/kubectl-mesh/pkg/internal/golden"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/plan"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/run"
)

// tale is a run with all that can happen to a step.
func tale() []run.Event {
	step := func(cluster, what, title string) plan.Step {
		return plan.Step{ID: cluster + "/" + what, Cluster: cluster, Title: title}
	}
	namespace, profile := step("east", "namespace", "Create namespace istio-system"), step("cluster-west", "profile", "Install the remote profile")
	injection, synced := step("cluster-west", "injection", "Wait until sidecars are injected"), step("east", "synced", "Wait until every istiod has read cluster-west")
	return []run.Event{
		{Kind: run.Started, Step: namespace},
		{Kind: run.Started, Step: profile},
		{Kind: run.Done, Step: namespace, Detail: "1 created", Took: 40 * time.Millisecond},
		{Kind: run.Started, Step: synced},
		{Kind: run.Progress, Step: synced, Detail: "istiod-a says: syncing", Took: 300 * time.Millisecond},
		{Kind: run.Progress, Step: synced, Detail: "istiod-a says: timeout", Took: 12 * time.Second},
		{Kind: run.Failed, Step: profile, Err: errors.New("ClusterRole/istiod: forbidden"), Took: 1500 * time.Millisecond},
		{Kind: run.Skipped, Step: injection, Detail: "cluster-west/profile"},
		{Kind: run.Cancelled, Step: synced, Took: 13 * time.Second},
	}
}

func TestPlainProgress(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name    string
		style   Style
		verbose bool
	}{
		{"progress-plain", Style{Width: 80}, false}, {"progress-verbose", Style{Width: 80}, true}, {"progress-colour", Style{Width: 80, Colour: true}, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			var text strings.Builder
			p := NewProgress(&text, test.style, test.verbose, []string{"east", "cluster-west"})
			p.Start()
			for _, e := range tale() {
				p.Event(e)
			}
			p.Stop()
			golden.Equal(t, test.name+".txt", text.String())
		})
	}
}

func TestLiveProgress(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var text strings.Builder
		p := NewProgress(&text, Style{Live: true, Width: 60}, false, []string{"east", "cluster-west"})
		p.Start()
		for i, e := range tale() {
			p.Event(e)
			if i == 4 { // a frame and a half pass
				<-time.After(frameTime + frameTime/2)
				synctest.Wait()
			}
		}
		p.Stop()
		// A carriage return and erasing the line are what makes it live; here each is a line's beginning.
		golden.Equal(t, "progress-live.txt", strings.ReplaceAll(strings.ReplaceAll(text.String(), "\r\x1b[K", "\n<erased>"), "\x1b", "ESC"))
		if !strings.HasSuffix(text.String(), "\r\x1b[K") {
			t.Error("the live line is left on the terminal")
		}
		if got, want := shown(text.String()), shown(plain(t)); got != want {
			t.Errorf("on the terminal stays\n%s\nand in a file\n%s", got, want)
		}
	})
}

// plain is the tale without a terminal, less the lines that only those get who see no live line.
func plain(t *testing.T) string {
	t.Helper()
	var text, kept strings.Builder
	p := NewProgress(&text, Style{Width: 60}, false, []string{"east", "cluster-west"})
	for _, e := range tale() {
		p.Event(e)
	}
	for line := range strings.Lines(text.String()) {
		if !strings.HasPrefix(line, "…") {
			kept.WriteString(line)
		}
	}
	return kept.String()
}

// shown is what a terminal shows in the end.
func shown(written string) string {
	var lines []string
	for line := range strings.Lines(written) {
		parts := strings.Split(line, "\r\x1b[K")
		lines = append(lines, parts[len(parts)-1])
	}
	return strings.Join(lines, "")
}

// A line longer than the terminal would wrap, and then could not be erased.
func TestLiveLineFits(t *testing.T) {
	t.Parallel()
	var text strings.Builder
	p := NewProgress(&text, Style{Live: true, Width: 40}, false, []string{"east"})
	p.Event(run.Event{Kind: run.Started, Step: plan.Step{ID: "a", Cluster: "east", Title: strings.Repeat("ü", 60)}})
	p.Event(run.Event{Kind: run.Progress, Step: plan.Step{ID: "a"}, Detail: "one\ntwo"})
	for frame := range strings.SplitSeq(text.String(), "\r\x1b[K") {
		if n := len([]rune(frame)); n > 39 || strings.Contains(frame, "\n") {
			t.Errorf("%d columns: %q", n, frame)
		}
	}
	if !strings.HasSuffix(text.String(), "…") {
		t.Errorf("nothing shows that it was cut: %q", text.String())
	}
}

func TestNarrator(t *testing.T) {
	t.Parallel()
	var text strings.Builder
	clock := time.Time{}
	n := NewNarrator(NewProgress(&text, Style{Width: 80}, false, []string{"east", "west"}), func() time.Time { return clock })
	n.Say("east", "make the probe")
	clock = clock.Add(1500 * time.Millisecond)
	n.Say("west", "make the probe")
	n.Say("east", "call 2 clusters")
	clock = clock.Add(20 * time.Second)
	n.Say("east", "")
	n.Say("east", "")
	n.Say("west", "")
	want := "✓ east  make the probe (1.5s)\n✓ east  call 2 clusters (20s)\n✓ west  make the probe (20s)\n"
	if text.String() != want {
		t.Errorf("got\n%swant\n%s", text.String(), want)
	}
}

func TestDuration(t *testing.T) {
	t.Parallel()
	for d, want := range map[time.Duration]string{
		0: "0.0s", 40 * time.Millisecond: "0.0s", 260 * time.Millisecond: "0.3s", 9940 * time.Millisecond: "9.9s",
		9960 * time.Millisecond: "10s", 12400 * time.Millisecond: "12s", 59400 * time.Millisecond: "59s",
		59700 * time.Millisecond: "1m0s", 125300 * time.Millisecond: "2m5s", time.Hour: "1h0m0s",
	} {
		if got := Duration(d); got != want {
			t.Errorf("%v is written %s, want %s", d, got, want)
		}
	}
}
