package app

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/kubectl-mesh/kubectl-mesh/pkg/cluster"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/istio"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/snapshot"
)

// A context leads to a secret's cluster if their UIDs say so; a CA says nothing.
func TestLeadingTo(t *testing.T) {
	t.Parallel()
	at := func(context, server, uid string) candidate {
		return candidate{Endpoint: cluster.Endpoint{Context: context, Server: server, CA: []byte("shared")}, uid: uid}
	}
	const west = "https://west.example:6443"
	silent := at("silent", west, "")
	silent.silent = errors.New("no answer")
	tokened := at("tokened", "https://127.0.0.1:40001", "uid-west")
	tokened.token = "token-west"
	for _, test := range []struct {
		name       string
		secret     snapshot.RemoteSecret
		candidates []candidate
		want       []string
	}{
		{"its address", snapshot.RemoteSecret{Server: west}, []candidate{at("a", west+"/", ""), at("b", "https://b.example", "")}, []string{"a"}},
		{"its address, and another cluster", snapshot.RemoteSecret{Server: west, UID: "uid-west"}, []candidate{at("vpn", west, "uid-other"), at("a", west, "uid-west")}, []string{"a"}},
		{"another address", snapshot.RemoteSecret{Server: west, UID: "uid-west"}, []candidate{at("bastion", "https://bastion.example", "uid-west"), at("b", "https://b.example", "uid-b")}, []string{"bastion"}},
		{"its address before another", snapshot.RemoteSecret{Server: west, UID: "uid-west"}, []candidate{at("bastion", "https://bastion.example", "uid-west"), at("a", west, "uid-west")}, []string{"a", "bastion"}},
		{"a UID that nobody can read", snapshot.RemoteSecret{Server: "https://172.18.0.3:6443", Token: "token-west"}, []candidate{at("b", "https://b.example", "uid-b"), tokened}, []string{"tokened"}},
		{"no more than a CA", snapshot.RemoteSecret{Server: "https://172.18.0.3:6443", CA: snapshot.Fingerprint([]byte("shared"))}, []candidate{at("b", "https://b.example", "uid-b")}, nil},
		{"one that answers first", snapshot.RemoteSecret{Server: west, UID: "uid-west"}, []candidate{silent, at("a", west, "uid-west")}, []string{"a", "silent"}},
		{"none but a silent one", snapshot.RemoteSecret{Server: west, UID: "uid-west"}, []candidate{silent}, []string{"silent"}},
		{"another cluster at its address", snapshot.RemoteSecret{Server: west, Token: "token-west"}, []candidate{at("a", west, "uid-a"), tokened}, []string{"tokened", "a"}},
		{"the primary at its address", snapshot.RemoteSecret{Server: "https://east.example", Token: "token-west"}, []candidate{at("east", "https://east.example", "uid-east")}, nil},
		{"a secret without an address", snapshot.RemoteSecret{}, []candidate{at("a", "", "")}, nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			var got []string
			for _, p := range leadingTo(test.secret, test.candidates, "https://east.example") {
				got = append(got, p.Context)
			}
			if !slices.Equal(got, test.want) {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

// Contexts at a secret's address are looked at first. Others follow where none of these is the cluster.
func TestLookedAt(t *testing.T) {
	t.Parallel()
	const west = "https://west.example:6443"
	endpoint := func(context, server, ca string) candidate {
		return candidate{Endpoint: cluster.Endpoint{Context: context, Server: server, CA: []byte(ca)}}
	}
	held := []istio.RemoteCredentials{{Secret: "one", Cluster: "west", Credentials: istio.Credentials{Server: west, CA: []byte("ca-west")}}}
	for _, test := range []struct {
		name       string
		candidates []candidate
		// uids are those of the candidates that are looked at first.
		uids          []string
		first, second []string
	}{
		{"its cluster", []candidate{endpoint("west", west, "ca-west"), endpoint("twin", "https://b", "ca-west")}, []string{"uid-west"}, []string{"west"}, nil},
		{"another cluster", []candidate{endpoint("east", west, "ca-east"), endpoint("west", "https://b", "ca-b"), endpoint("bastion", "https://c", "ca-west"), endpoint("d", "https://d", "ca-d")},
			[]string{"uid-east"}, []string{"east"}, []string{"bastion", "west"}},
		{"nobody", []candidate{endpoint("west", "https://b", "ca-b"), endpoint("d", "https://d", "ca-d")}, []string{"uid-b"}, []string{"west"}, nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			names := func(of map[int]time.Duration) []string {
				var names []string
				for i := range of {
					names = append(names, test.candidates[i].Context)
				}
				slices.Sort(names)
				return names
			}
			if got := names(likelyCandidates(held, test.candidates)); !slices.Equal(got, test.first) {
				t.Errorf("looked at first are %q, want %q", got, test.first)
			}
			for i, uid := range test.uids {
				test.candidates[i].uid = uid
			}
			secrets := []snapshot.RemoteSecret{{Secret: "one", Cluster: "west", Server: west, UID: "uid-west"}}
			if got := names(otherCandidates(held, secrets, test.candidates)); !slices.Equal(got, test.second) {
				t.Errorf("looked at then are %q, want %q", got, test.second)
			}
		})
	}
}
