package report

import (
	"fmt"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/kubectl-mesh/kubectl-mesh/pkg/internal/golden"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/snapshot"
)

func answered(from, to, protocol string, answered int, p50, p99 time.Duration) snapshot.Call {
	return snapshot.Call{
		From: from, To: to, Protocol: protocol, Sent: 10, Answered: answered, ByCluster: map[string]int{to: answered}, P50: p50, P99: p99,
		Peers: []string{"spiffe://cluster.local/ns/mesh-probe/sa/" + from},
	}
}

func TestTraffic(t *testing.T) {
	t.Parallel()
	shared := func(from string, answered int, by map[string]int) snapshot.Call {
		return snapshot.Call{From: from, Protocol: "http", Sent: 30, Answered: answered, ByCluster: by}
	}
	plain := answered("cluster-west", "cluster-west", "http", 10, 950*time.Microsecond, 2*time.Millisecond)
	plain.Peers = []string{""}
	traffic := &snapshot.Traffic{Calls: []snapshot.Call{
		answered("east", "east", "http", 10, 800*time.Microsecond, 1234*time.Microsecond),
		answered("east", "east", "grpc", 10, time.Second, time.Second), answered("east", "east", "tcp", 10, time.Second, time.Second),
		answered("east", "cluster-west", "http", 10, 12345*time.Microsecond, 123456*time.Microsecond),
		answered("east", "cluster-west", "grpc", 4, 0, 0), answered("east", "cluster-west", "tcp", 10, 0, 0),
		shared("east", 30, map[string]int{"east": 20, "cluster-west": 10}),
		answered("cluster-west", "east", "http", 0, 0, 0), answered("cluster-west", "east", "grpc", 10, 0, 0),
		plain, answered("cluster-west", "cluster-west", "tcp", 10, 0, 0),
		shared("cluster-west", 0, nil),
	}}
	for name, style := range map[string]Style{"traffic-plain.txt": {Width: 80}, "traffic-colour.txt": {Width: 80, Colour: true}} {
		var text strings.Builder
		if err := Traffic(&text, style, traffic); err != nil {
			t.Fatal(err)
		}
		golden.Equal(t, name, text.String())
	}
}

// Names that are too long for columns, and more clusters than there is room for, do not make a soup of it.
func TestTrafficOfManyClusters(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		golden   string
		clusters int
	}{{"traffic-long-names.txt", 4}, {"traffic-many.txt", 9}} {
		var names []string
		for i := range test.clusters {
			names = append(names, fmt.Sprintf("gke-shop-europe-west%d-production", i+1))
		}
		traffic := &snapshot.Traffic{}
		for i, from := range names {
			by := map[string]int{}
			for j, to := range names {
				took := time.Duration(1+10*i*j) * time.Millisecond
				c := answered(from, to, "http", 10, took, 10*took)
				if i == 1 && j == 2 {
					c.Answered = 0
				}
				traffic.Calls = append(traffic.Calls, c)
				by[to] = 2
			}
			if i == 2 {
				delete(by, names[0])
			}
			traffic.Calls = append(traffic.Calls, snapshot.Call{From: from, Protocol: "http", Sent: 10, Answered: 10, ByCluster: by})
		}
		var text strings.Builder
		if err := Traffic(&text, Style{Width: 80}, traffic); err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(text.String()) {
			if utf8.RuneCountInString(strings.TrimSuffix(line, "\n")) > 80 {
				t.Errorf("too wide: %s", line)
			}
		}
		golden.Equal(t, test.golden, text.String())
	}
}

// A cell says what the checks say of the pair.
func TestTrafficCells(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		change func(c *snapshot.Call)
		want   string
	}{
		"answered":                {func(*snapshot.Call) {}, "✓ 1.0/2.0"},
		"lost":                    {func(c *snapshot.Call) { c.Answered = 3 }, "✗ 3/10 http"},
		"another cluster answers": {func(c *snapshot.Call) { c.ByCluster = map[string]int{"east": 9, "south": 1} }, "✗ by south"},
		"no identity":             {func(c *snapshot.Call) { c.Peers = []string{""} }, "! 1.0/2.0"},
		"no server told":          {func(c *snapshot.Call) { c.Peers = nil }, "! 1.0/2.0"},
		"none was sent":           {func(c *snapshot.Call) { c.Sent, c.Answered = 0, 0 }, "?"},
	} {
		c := answered("west", "east", "http", 10, time.Millisecond, 2*time.Millisecond)
		test.change(&c)
		var text strings.Builder
		if err := Traffic(&text, Style{Width: 80}, &snapshot.Traffic{Calls: []snapshot.Call{c}}); err != nil {
			t.Fatal(err)
		}
		// Nobody has called the Service that is everywhere.
		cells := strings.Fields(strings.Split(text.String(), "\n")[1])
		if got := strings.Join(cells[1:len(cells)-1], " "); got != test.want || cells[len(cells)-1] != "?" {
			t.Errorf("%s: the cells are %q, want %q and ?", name, cells[1:], test.want)
		}
	}
}
