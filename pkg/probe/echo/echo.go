// Package echo is what a probe does inside a cluster: it answers, saying where it is and whom it sees, and on request
// calls other probes and says what they answered. It knows nothing of Kubernetes, so that its program stays small.
package echo

import "time"

// The ports of a probe.
const (
	PortHTTP    = 8080
	PortGRPC    = 8081
	PortTCP     = 8082
	PortControl = 8083
)

// What a probe's control port is asked for.
const (
	// PathCall is told Calls and answers with a Report for each.
	PathCall = "call"
	// PathDial is told a list of handshake.Dial and answers with a handshake.Result for each.
	PathDial = "dial"
)

// Protocol is how a call is made.
type Protocol string

// The protocols that a probe speaks.
const (
	HTTP Protocol = "http"
	GRPC Protocol = "grpc"
	TCP  Protocol = "tcp"
)

// Port is where a probe listens for a protocol.
func (p Protocol) Port() int {
	switch p {
	case GRPC:
		return PortGRPC
	case TCP:
		return PortTCP
	}
	return PortHTTP
}

// Answer is what a probe says of itself to a caller.
type Answer struct {
	// Cluster is where it runs.
	Cluster string `json:"cluster"`
	// Pod is its pod's name.
	Pod string `json:"pod"`
	// Peer is the caller's identity as its sidecar vouches for it (Envoy's X-Forwarded-Client-Cert), empty without
	// mutual TLS. Over plain TCP there is no place to say it.
	Peer string `json:"peer,omitempty"`
}

// Task asks a probe to call one host.
type Task struct {
	Protocol Protocol `json:"protocol"`
	Host     string   `json:"host"`
	// Count is how many calls are made and measured, after the first that succeeds.
	Count int `json:"count"`
}

// Calls are tasks that are carried out at once.
type Calls struct {
	Tasks []Task `json:"tasks"`
	// Settle bounds the wait for the first answer to each.
	Settle time.Duration `json:"settle"`
}

// Report is what came of a Task.
type Report struct {
	Task
	// Answers are those of the measured calls.
	Answers []Answer `json:"answers"`
	// Times are how long they took, in the same order.
	Times []time.Duration `json:"times"`
	// Failed counts the measured calls without an answer.
	Failed int `json:"failed"`
	// Error is the last error seen, whether or not a later call succeeded.
	Error string `json:"error,omitempty"`
}
