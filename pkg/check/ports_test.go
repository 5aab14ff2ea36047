package check

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/kubectl-mesh/kubectl-mesh/pkg/internal/golden"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/snapshot"
)

// dial gives the world the handshakes that pods made, all of them well.
func (w *world) dial() {
	for _, remote := range []string{"south", "west"} {
		w.snapshot.Traffic.Dials = append(w.snapshot.Traffic.Dials,
			snapshot.Dial{From: remote, To: "east", Purpose: snapshot.ToIstiod, Address: "192.0.2.10:15012", Trusted: true},
			snapshot.Dial{From: remote, To: "east", Purpose: snapshot.ToWebhook, Address: "192.0.2.10:15017", Trusted: true},
			snapshot.Dial{From: "east", To: remote, Purpose: snapshot.ToAPIServer, Address: remote + ".example:6443", Trusted: true},
		)
	}
}

// dialled is a handshake of the traffic, to be changed.
func (w *world) dialled(from, to string, purpose snapshot.Purpose) *snapshot.Dial {
	i := slices.IndexFunc(w.snapshot.Traffic.Dials, func(d snapshot.Dial) bool {
		return d.From == from && d.To == to && d.Purpose == purpose
	})
	return &w.snapshot.Traffic.Dials[i]
}

// lose makes a handshake one that was not made.
func (w *world) lose(from, to string, purpose snapshot.Purpose) {
	d := w.dialled(from, to, purpose)
	d.Error, d.Trusted = "i/o timeout", false
}

// shut closes the ports of the gateway to this machine.
func (w *world) shut() {
	for i := range w.east().Ports {
		w.east().Ports[i].Error, w.east().Ports[i].Trusted = "i/o timeout", false
	}
}

// unready is a remote whose probe did not start for lack of istiod.
func (w *world) unready(remote string) {
	w.snapshot.Traffic.Unready = map[string]string{remote: "its pods don't get through to istiod"}
	w.snapshot.Traffic.Calls = slices.DeleteFunc(w.snapshot.Traffic.Calls, func(c snapshot.Call) bool { return c.From == remote || c.To == remote })
	for i := range w.snapshot.Traffic.Calls {
		delete(w.snapshot.Traffic.Calls[i].ByCluster, remote)
	}
}

func dialScenarios() []scenario {
	dialled := func(change func(w *world)) func(w *world) {
		return func(w *world) { w.dial(); change(w) }
	}
	unsynced := func(w *world) {
		w.setSync("west", "timeout", "timeout")
	}
	unreachable := func(w *world) {
		w.secret().Use = &snapshot.CredentialUse{Problem: snapshot.ServerUnreachable, Error: "no route to host"}
	}
	return []scenario{
		{
			name:   "pods find all open",
			change: dialled(func(*world) {}),
		},
		{
			name: "pods of one remote don't reach istiod",
			change: dialled(func(w *world) {
				w.lose("west", "east", snapshot.ToIstiod)
				w.unready("west")
			}),
			want: []string{"fail firewall west"},
		},
		{
			name: "somebody ends the connections of one remote",
			change: dialled(func(w *world) {
				w.lose("west", "east", snapshot.ToIstiod)
				d := w.dialled("west", "east", snapshot.ToIstiod)
				d.Connected, d.Error = true, "no TLS handshake: EOF"
				w.unready("west")
			}),
			want: []string{"fail firewall west"},
		},
		{
			name: "one remote reaches neither port",
			change: dialled(func(w *world) {
				w.gateway().SourceRanges = []string{"10.2.0.0/16"}
				w.lose("west", "east", snapshot.ToIstiod)
				w.lose("west", "east", snapshot.ToWebhook)
				w.west().Injection.Error = "failed calling webhook: context deadline exceeded"
				w.unready("west")
			}),
			want: []string{"fail firewall west"},
		},
		{
			name: "the webhook's port closed to one remote",
			change: dialled(func(w *world) {
				w.lose("west", "east", snapshot.ToWebhook)
				w.west().Injection.Error = "failed calling webhook: context deadline exceeded"
				w.unready("west")
			}),
			want: []string{"fail firewall west"},
		},
		{
			name:   "the webhook's port closed to pods, and open to the API server",
			change: dialled(func(w *world) { w.lose("west", "east", snapshot.ToWebhook) }),
		},
		{
			name:   "a gateway that answers pods, and not this machine",
			change: dialled(func(w *world) { w.shut() }),
		},
		{
			name: "a gateway that answers one remote alone",
			change: dialled(func(w *world) {
				w.shut()
				w.lose("west", "east", snapshot.ToIstiod)
				w.unready("west")
			}),
			want: []string{"fail firewall west"},
		},
		{
			name: "a gateway that answers nobody",
			change: dialled(func(w *world) {
				w.shut()
				for _, remote := range []string{"south", "west"} {
					w.lose(remote, "east", snapshot.ToIstiod)
					w.lose(remote, "east", snapshot.ToWebhook)
					w.snapshot.Clusters[remote].Injection.Error = "failed calling webhook: context deadline exceeded"
					w.unready(remote)
				}
				w.snapshot.Traffic.Unready["south"] = w.snapshot.Traffic.Unready["west"]
			}),
			want: []string{"fail firewall east"},
		},
		{
			name: "a gateway that ends connections",
			change: dialled(func(w *world) {
				w.snapshot.Traffic.Policies = []snapshot.Policy{{Namespace: "istio-system", Name: "nobody", Action: "DENY", Probes: true, Gateway: true}}
				for i := range w.east().Ports {
					w.east().Ports[i] = snapshot.Port{Number: w.east().Ports[i].Number, Connected: true, Error: "no TLS handshake: EOF"}
				}
				for i, d := range w.snapshot.Traffic.Dials {
					if d.To == "east" {
						w.snapshot.Traffic.Dials[i].Connected, w.snapshot.Traffic.Dials[i].Error, w.snapshot.Traffic.Dials[i].Trusted = true, "no TLS handshake: EOF", false
					}
				}
				w.unready("south")
				w.unready("west")
				w.snapshot.Traffic.Unready["south"] = w.snapshot.Traffic.Unready["west"]
			}),
			want: []string{"fail firewall east"},
		},
		{
			name: "pods of one remote meet somebody else",
			change: dialled(func(w *world) {
				w.dialled("west", "east", snapshot.ToIstiod).Trusted = false
				w.unready("west")
			}),
			want: []string{"fail gateway-trust west"},
		},
		{
			name:   "this machine alone meets somebody else",
			change: dialled(func(w *world) { w.east().Ports[0].Trusted, w.east().Ports[1].Trusted = false, false }),
		},
		{
			name: "everybody meets somebody else",
			change: dialled(func(w *world) {
				w.east().Ports[0].Trusted = false
				w.dialled("west", "east", snapshot.ToIstiod).Trusted = false
				w.dialled("south", "east", snapshot.ToIstiod).Trusted = false
				w.unready("west")
				w.unready("south")
				w.snapshot.Traffic.Unready["west"] = w.snapshot.Traffic.Unready["south"]
			}),
			want: []string{"fail gateway-trust east"},
		},
		{
			name: "an API server that pods reach, and not this machine",
			change: dialled(func(w *world) {
				unreachable(w)
				unsynced(w)
			}),
			want: []string{"fail not-synced west"},
		},
		{
			name:   "an API server that pods don't reach any more",
			change: dialled(func(w *world) { w.lose("east", "west", snapshot.ToAPIServer) }),
			want:   []string{"fail secret-unreachable west"},
		},
		{
			name: "an API server that pods have never reached",
			change: dialled(func(w *world) {
				w.lose("east", "west", snapshot.ToAPIServer)
				w.west().Server = "https://198.51.100.7:6443"
				unsynced(w)
			}),
			want: []string{"fail secret-unreachable west"},
		},
		{
			name: "an API server that nobody reaches",
			change: dialled(func(w *world) {
				w.lose("east", "west", snapshot.ToAPIServer)
				unreachable(w)
				w.cluster("west").Context = ""
			}),
			want: []string{"fail secret-stale west"},
		},
		{
			name:   "a proxy before the API server, on the pods' way",
			change: dialled(func(w *world) { w.dialled("east", "west", snapshot.ToAPIServer).Trusted = false }),
			want:   []string{"fail secret-ca west"},
		},
		{
			name: "a proxy before the API server, on this machine's way",
			change: dialled(func(w *world) {
				w.secret().Use = &snapshot.CredentialUse{Problem: snapshot.ServerUntrusted, Error: "certificate signed by unknown authority"}
			}),
		},
		{
			name:   "credentials that can't be tried from here",
			change: dialled(func(w *world) { w.secret().Use = nil }),
		},
		{
			name: "pods that reach nothing",
			change: func(w *world) {
				w.unready("west")
				w.snapshot.Traffic.Unready["west"] = "pods of the new namespace reach nothing"
				w.snapshot.Traffic.Undialled = map[string]string{"west": "pods of the new namespace reach nothing"}
			},
			want: []string{"fail probe-ready west"},
		},
		{
			name:   "no pod without a sidecar",
			change: func(w *world) { w.snapshot.Traffic.Undialled = map[string]string{"west": "a policy forbids it"} },
			want:   []string{"unknown probe-ready west"},
		},
	}
}

func TestDials(t *testing.T) {
	t.Parallel()
	play(t, "dials.txt", dialScenarios())
}

// What passes says whose word it is.
func TestWhoseWordItIs(t *testing.T) {
	t.Parallel()
	var text strings.Builder
	for _, s := range dialScenarios() {
		if len(s.want) > 0 {
			continue
		}
		fmt.Fprintf(&text, "# %s\n%s\n", s.name, lines(s.results(), func(r Result) bool {
			return r.Status == Pass && r.Cluster != "south" && slices.Contains([]string{"firewall", "gateway-trust", "secret-unreachable", "secret-ca", "secret-stale"}, r.ID)
		}))
	}
	golden.Equal(t, "dials-passed.txt", text.String())
}
