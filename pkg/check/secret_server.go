package check

import (
	"cmp"
	"fmt"

	"github.com/kubectl-mesh/kubectl-mesh/pkg/facts"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/mesh"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/snapshot"
)

func secretLocalhostCheck() Check {
	return Check{
		ID: "secret-localhost", Subject: OfLink, Category: Credentials,
		Title:  "the primary can reach the remote's API server",
		Before: []string{BeforeAttach}, Verify: true, Preflight: true,
		Why: `The API server's address is one of the machine on which you sit (127.0.0.1, localhost), as kind and minikube write it
			into kubeconfigs. In istiod's pod it means that pod itself, so istiod never reads the remote (#31081, #44826).`,
		Fix:   `Attach the cluster with --remote-server and an address that the primary's pods reach.`,
		judge: secretLocalhost, judgeBefore: secretLocalhostBefore,
	}
}

// secretLocalhost judges the address that the control plane was given.
func secretLocalhost(v view) []Result {
	return v.eachRead(func(c mesh.Cluster, seen *snapshot.Cluster) []Result {
		if home := v.seenHome(); home != nil && unreadable(home, snapshot.RemoteSecretsPart) != nil {
			return needs("secret-malformed")
		}
		secret, found := v.secretOf(c.Name)
		switch {
		case !found:
			return needs("secret-missing")
		case !mesh.IsLocal(secret.Server):
			return pass("%s", secret.Server)
		case hasContext(c) && !mesh.IsLocal(seen.Server):
			return failLocal(v.attachForced(c), secret.Server)
		}
		return failLocal(v.addressForPods(c), secret.Server)
	})
}

// secretLocalhostBefore judges the address that the control plane is to be given.
func secretLocalhostBefore(v view) []Result {
	return v.eachRead(func(c mesh.Cluster, seen *snapshot.Cluster) []Result {
		server := cmp.Or(c.Server, seen.Server)
		if !mesh.IsLocal(server) {
			return pass("%s", server)
		}
		return failLocal(v.addressForPods(c), server)
	})
}

// failLocal is the failure of an address that means the caller's own machine.
func failLocal(fix Fix, server string) []Result {
	return fail(fix, "the API server's address is %s, which in a pod of the primary means that pod itself", server)
}

// addressForPods attaches a cluster by an address that the user must give.
func (v view) addressForPods(c mesh.Cluster) Fix {
	return advice("give the address that pods of %s reach it by (for kind: that of docker inspect -f '{{.NetworkSettings.Networks.kind.IPAddress}}' NODE, port 6443)", v.home.Name).
		and(v.attach(c, "--remote-server", "https://ADDRESS:PORT").fill("ADDRESS:PORT"))
}

func secretProxyCheck() Check {
	return Check{
		ID: "secret-proxy", Subject: OfLink, Category: Credentials,
		Title:  "the primary needs no proxy to the remote's API server",
		Before: []string{BeforeAttach}, Preflight: true,
		Needs: []string{"secret-localhost"},
		Why: `Your kubeconfig reaches the remote's API server through a proxy (proxy-url). A remote secret takes no proxy along:
			istiod would call the server without it, and whether that works can't be told from here.`,
		Fix: `Give attach-remote, with --remote-server, the address by which the primary's pods reach the API server; it may be the
			same one, where they need no proxy.`,
		judge: secretProxy,
	}
}

// secretProxy: a remote secret takes nothing along of how the user's kubeconfig reaches the server.
func secretProxy(v view) []Result {
	return v.eachRead(func(c mesh.Cluster, seen *snapshot.Cluster) []Result {
		switch {
		case seen.Proxy == "":
			return pass("the kubeconfig names none")
		case c.Server != "":
			return pass("the primary calls %s", c.Server)
		}
		return fail(advice("give the address by which pods of %s reach it, the same if they need no proxy", v.home.Name).and(v.attach(c, "--remote-server", seen.Server)),
			"the kubeconfig reaches %s through the proxy %s, which istiod would not use", seen.Server, seen.Proxy)
	})
}

func secretUnreachableCheck() Check {
	return Check{
		ID: "secret-unreachable", Subject: OfLink, Category: Credentials,
		Title:  "the API server in the remote secret answers",
		Verify: true,
		Needs:  []string{"secret-localhost", "secret-missing"},
		Why: `The API server in the remote secret does not answer istiod: a private endpoint, a firewall, an address that has
			changed, or a cluster that is gone (#34472, #57525). istiod sees no more changes there, and its start waits for such a
			cluster. With --traffic, pods of the primary call it, and what they find counts. Without, it fails if neither istiod
			has read the cluster nor this machine gets an answer.`,
		Fix: `Let the primary's pods reach the API server, or attach the cluster again with --remote-server and an address that they
			reach. Delete the secret of a cluster that is gone.`,
		judge: secretUnreachable,
	}
}

func secretUnreachable(v view) []Result {
	return v.eachSecret(func(c mesh.Cluster, s snapshot.RemoteSecret) []Result {
		who := v.unanswered(c, s)
		_, made := v.podHandshake(c)
		switch {
		case who == "" && made:
			return pass("%s answers pods of %s", s.Server, v.home.Name)
		case who == "" && s.Use == nil:
			return skip("its credentials were not tried")
		case who == "" && s.Use.Problem == snapshot.UseUnknown:
			return notUsed(s)
		case who == "" && unreachableFromHere(s):
			return pass("%s does not answer from here, but istiod has read it: %s", s.Server, s.Use.Error)
		case who == "":
			return pass("%s answers", s.Server)
		case v.seemsDeleted(c, s):
			return needs("secret-stale")
		}
		fix := advice("give an address that the primary reaches")
		if made {
			fix = advice("let pods of %s reach it (firewalls, the API server's authorized networks, network policies), or give an address that they reach", v.home.Name)
		}
		fix = fix.and(v.attachForced(c, "--remote-server", "https://ADDRESS:PORT").fill("ADDRESS:PORT"))
		if there := v.snapshot.Clusters[c.Name]; there != nil && !facts.SameServer(there.Server, s.Server) && answersFromHere(there) && !mesh.IsLocal(there.Server) {
			fix = v.attachForced(c, "--remote-server", there.Server) // it does answer at this one
		}
		return fail(fix, "Secret %s: %s", s.Secret, who)
	})
}

// unanswered says who gets no answer from the API server in a remote secret; empty when istiod gets one, as far as is known.
// Calls from pods of the primary count most. This machine is elsewhere: where no pod called, only istiod's own state is certain.
func (v view) unanswered(c mesh.Cluster, s snapshot.RemoteSecret) string {
	dial, made := v.podHandshake(c)
	switch {
	case made && dial.Error == "":
		return ""
	case made && v.synced(c):
		return fmt.Sprintf("%s does not answer pods of %s (%s): istiod goes on with what it has read before, and sees no change", s.Server, v.home.Name, dial.Error)
	case made:
		return fmt.Sprintf("%s does not answer pods of %s, where istiod is: %s", s.Server, v.home.Name, dial.Error)
	case unreachableFromHere(s) && !v.synced(c):
		return fmt.Sprintf("%s does not answer, neither istiod nor from here: %s", s.Server, s.Use.Error)
	}
	return ""
}

// podHandshake is what pods of the primary, where istiod is, found at a remote's API server.
func (v view) podHandshake(c mesh.Cluster) (dial snapshot.Dial, made bool) {
	for _, d := range v.dials(v.home.Name, c.Name) {
		return d, true
	}
	return snapshot.Dial{}, false
}

// unreachableFromHere is true when the API server in a remote secret does not answer this machine.
func unreachableFromHere(s snapshot.RemoteSecret) bool {
	return s.Use != nil && s.Use.Problem == snapshot.ServerUnreachable
}
