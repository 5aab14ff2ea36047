package report

import (
	"strings"
	"testing"
	"time"

	"github.com/kubectl-mesh/kubectl-mesh/pkg/internal/golden"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/observe"
)

func TestTraffic(t *testing.T) {
	t.Parallel()
	call := func(from, to, protocol string, answered int, p50 time.Duration) observe.Call {
		return observe.Call{From: from, To: to, Protocol: protocol, Sent: 10, Answered: answered, P50: p50}
	}
	shared := func(from string, answered int, by map[string]int) observe.Call {
		return observe.Call{From: from, Protocol: "http", Sent: 30, Answered: answered, ByCluster: by}
	}
	traffic := &observe.Traffic{Calls: []observe.Call{
		call("east", "east", "http", 10, 800*time.Microsecond), call("east", "east", "grpc", 10, time.Second), call("east", "east", "tcp", 10, time.Second),
		call("east", "cluster-west", "http", 10, 12345*time.Microsecond), call("east", "cluster-west", "grpc", 4, 0), call("east", "cluster-west", "tcp", 10, 0),
		shared("east", 30, map[string]int{"east": 20, "cluster-west": 10}),
		call("cluster-west", "east", "http", 0, 0), call("cluster-west", "east", "grpc", 10, 0),
		call("cluster-west", "cluster-west", "http", 10, 950*time.Microsecond),
		shared("cluster-west", 0, nil),
	}}
	for _, style := range []Style{{Width: 80}, {Width: 80, Colour: true}} {
		var text strings.Builder
		if err := Traffic(&text, style, traffic); err != nil {
			t.Fatal(err)
		}
		name := "traffic-plain.txt"
		if style.Colour {
			name = "traffic-colour.txt"
		}
		golden.Equal(t, name, text.String())
	}
}
