package cmd

import (
	"errors"
	"slices"
	"testing"

	"github.com/kubectl-mesh/kubectl-mesh/pkg/cluster"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/observe"
)

// A context leads to a secret's cluster if their UIDs say so; a CA says nothing.
func TestLeadingTo(t *testing.T) {
	t.Parallel()
	at := func(context, server, uid string) place {
		return place{Endpoint: cluster.Endpoint{Context: context, Server: server, CA: []byte("shared")}, uid: uid}
	}
	const west = "https://west.example:6443"
	silent := at("silent", west, "")
	silent.silent = errors.New("no answer")
	tokened := at("tokened", "https://127.0.0.1:40001", "uid-west")
	tokened.token = "token-west"
	for _, test := range []struct {
		name   string
		secret observe.RemoteSecret
		places []place
		want   []string
	}{
		{"its address", observe.RemoteSecret{Server: west}, []place{at("a", west+"/", ""), at("b", "https://b.example", "")}, []string{"a"}},
		{"its address, and another cluster", observe.RemoteSecret{Server: west, UID: "uid-west"}, []place{at("vpn", west, "uid-other"), at("a", west, "uid-west")}, []string{"a"}},
		{"another address", observe.RemoteSecret{Server: west, UID: "uid-west"}, []place{at("bastion", "https://bastion.example", "uid-west"), at("b", "https://b.example", "uid-b")}, []string{"bastion"}},
		{"its address before another", observe.RemoteSecret{Server: west, UID: "uid-west"}, []place{at("bastion", "https://bastion.example", "uid-west"), at("a", west, "uid-west")}, []string{"a", "bastion"}},
		{"a UID that nobody can read", observe.RemoteSecret{Server: "https://172.18.0.3:6443", Token: "token-west"}, []place{at("b", "https://b.example", "uid-b"), tokened}, []string{"tokened"}},
		{"no more than a CA", observe.RemoteSecret{Server: "https://172.18.0.3:6443", CA: observe.Fingerprint([]byte("shared"))}, []place{at("b", "https://b.example", "uid-b")}, nil},
		{"one that answers first", observe.RemoteSecret{Server: west, UID: "uid-west"}, []place{silent, at("a", west, "uid-west")}, []string{"a", "silent"}},
		{"none but a silent one", observe.RemoteSecret{Server: west, UID: "uid-west"}, []place{silent}, []string{"silent"}},
		{"a secret without an address", observe.RemoteSecret{}, []place{at("a", "", "")}, nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			var got []string
			for _, p := range leadingTo(test.secret, test.places) {
				got = append(got, p.Context)
			}
			if !slices.Equal(got, test.want) {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}
