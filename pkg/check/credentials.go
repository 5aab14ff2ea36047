package check

import (
	"fmt"
	"slices"
	"strings"

	"github.com/kubectl-mesh/kubectl-mesh/pkg/istio/wellknown"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/mesh"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/snapshot"
)

func tokenMissing(v view) []Result {
	return v.attached(func(c mesh.Cluster, seen *snapshot.Cluster) []Result {
		if r := blind(seen, snapshot.ReaderTokenPart); r != nil {
			return r
		}
		const secret = wellknown.ReaderTokenSecret
		switch {
		case seen.ReaderToken == nil:
			if held, found := v.secretOf(c.Name); found && held.Use != nil && held.Use.Problem == "" {
				return pass("the token in Secret %s works; it is not that of Secret %s", held.Secret, secret)
			}
			return fail(v.attach(c), "there is no Secret %s in %s: the account that istiod reads through has no token", secret, v.mesh.Namespace)
		case !seen.ReaderToken.Filled:
			return fail(advice("see to the controller manager of %s first", c.Name).and(v.attach(c)),
				"Secret %s in %s has no token: the controller manager's token controller has not filled it", secret, v.mesh.Namespace)
		}
		return pass("Secret %s is filled", secret)
	})
}

// lacksToken is true for a remote that was looked at and has no token; of one that could not be looked at, a refused
// token is known all the same.
func (v view) lacksToken(c mesh.Cluster) bool {
	seen := v.snapshot.Clusters[c.Name]
	return seen != nil && blind(seen, snapshot.ReaderTokenPart) == nil && (seen.ReaderToken == nil || !seen.ReaderToken.Filled)
}

// held asks about the remotes' secrets that istiod can read.
func (v view) held(ask func(c mesh.Cluster, secret snapshot.RemoteSecret) []Result) []Result {
	return v.remotes(func(c mesh.Cluster, _ *snapshot.Cluster) []Result {
		secret, found := v.secretOf(c.Name)
		switch {
		case !found:
			return skip("needs secret-missing")
		case secret.Error != "":
			return skip("needs secret-malformed")
		}
		return ask(c, secret)
	})
}

// used asks about what came of using a remote's credentials from here.
func (v view) used(ask func(c mesh.Cluster, secret snapshot.RemoteSecret) []Result) []Result {
	return v.held(func(c mesh.Cluster, secret snapshot.RemoteSecret) []Result {
		if secret.Use == nil {
			return skip("its credentials were not tried")
		}
		return ask(c, secret)
	})
}

// notUsed is the result where nobody can tell what would have come of using a secret's credentials.
func notUsed(s snapshot.RemoteSecret) []Result {
	return []Result{{Status: Unknown, Seen: fmt.Sprintf("Secret %s: could not try its credentials: %s", s.Secret, s.Use.Error)}}
}

// dialled is what pods of the primary, where istiod is, found at a remote's API server.
func (v view) dialled(c mesh.Cluster) (dial snapshot.Dial, made bool) {
	primary, _ := v.mesh.Primary()
	for _, d := range v.dials(primary.Name, c.Name) {
		return d, true
	}
	return snapshot.Dial{}, false
}

// unanswered says who gets no answer from the API server in a remote secret; empty when istiod does, as far as anybody
// can tell. Pods of the primary know best. This machine is elsewhere: without their word only istiod's own makes it
// certain.
func (v view) unanswered(c mesh.Cluster, s snapshot.RemoteSecret) string {
	primary, _ := v.mesh.Primary()
	dial, made := v.dialled(c)
	switch {
	case made && dial.Error == "":
		return ""
	case made && v.synced(c.Name):
		return fmt.Sprintf("%s does not answer pods of %s (%s): istiod goes on with what it has read before, and sees no change", s.Server, primary.Name, dial.Error)
	case made:
		return fmt.Sprintf("%s does not answer pods of %s, where istiod is: %s", s.Server, primary.Name, dial.Error)
	case silentHere(s) && !v.synced(c.Name):
		return fmt.Sprintf("%s does not answer, neither istiod nor from here: %s", s.Server, s.Use.Error)
	}
	return ""
}

// silentHere is true when the API server in a remote secret does not answer this machine.
func silentHere(s snapshot.RemoteSecret) bool {
	return s.Use != nil && s.Use.Problem == snapshot.ServerUnreachable
}

// gone is true for a cluster that nobody has seen: most likely it is no more.
func (v view) gone(c mesh.Cluster, s snapshot.RemoteSecret) bool {
	return !hasContext(c) && v.unanswered(c, s) != "" && (s.Use == nil || silentHere(s))
}

func secretUnreachable(v view) []Result {
	primary, _ := v.mesh.Primary()
	return v.held(func(c mesh.Cluster, s snapshot.RemoteSecret) []Result {
		who := v.unanswered(c, s)
		_, made := v.dialled(c)
		switch {
		case who == "" && made:
			return pass("%s answers pods of %s", s.Server, primary.Name)
		case who == "" && s.Use == nil:
			return skip("its credentials were not tried")
		case who == "" && s.Use.Problem == snapshot.UseUnknown:
			return notUsed(s)
		case who == "" && silentHere(s):
			return pass("%s does not answer from here, but istiod has read it: %s", s.Server, s.Use.Error)
		case who == "":
			return pass("%s answers", s.Server)
		case v.gone(c, s):
			return skip("needs secret-stale")
		}
		fix := advice("give an address that the primary reaches")
		if made {
			fix = advice("let pods of %s reach it (firewalls, the API server's authorized networks, network policies), or give an address that they reach", primary.Name)
		}
		fix = fix.and(v.attachOver(c, "--remote-server", "https://ADDRESS:PORT").fill("ADDRESS:PORT"))
		if there := v.snapshot.Clusters[c.Name]; there != nil && !snapshot.SameServer(there.Server, s.Server) && answersHere(there) && !mesh.IsLocal(there.Server) {
			fix = v.attachOver(c, "--remote-server", there.Server) // it does answer at this one
		}
		return fail(fix, "Secret %s: %s", s.Secret, who)
	})
}

// synced is true when every istiod replica that was asked has read the cluster.
func (v view) synced(name string) bool {
	plane, found := v.plane()
	if !found || len(plane.Replicas) == 0 {
		return false
	}
	for _, replica := range plane.Replicas {
		if !slices.ContainsFunc(replica.Clusters, func(c snapshot.SyncedRemote) bool { return c.ID == name && c.Status == snapshot.Synced }) {
			return false
		}
	}
	return true
}

// answersHere is true when the API server answers this machine.
func answersHere(seen *snapshot.Cluster) bool {
	_, silent := seen.CouldNotRead(snapshot.APIServer)
	return !silent
}

// willHaveCA asks of the CA that a remote secret is to have, which is the cluster's own.
func willHaveCA(v view) []Result {
	return v.remotes(func(c mesh.Cluster, seen *snapshot.Cluster) []Result {
		switch {
		case !answersHere(seen):
			return skip("needs reachable") // which verify asks of the server in the secret
		case blind(seen, snapshot.CertificateAuthority) != nil:
			return blind(seen, snapshot.CertificateAuthority)
		case c.Server != "" && !snapshot.SameServer(c.Server, seen.Server):
			return skip("the primary calls another address than the kubeconfig's")
		case seen.Untrusted == "":
			return pass("the cluster's CA is that of its API server")
		}
		return fail(advice("give the address of the API server itself").and(v.attach(c, "--remote-server", "https://ADDRESS:PORT").fill("ADDRESS:PORT")),
			"istiod would refuse the certificate that is shown at %s, since it is not of the cluster's own CA; does a proxy stand before the API server? %s",
			seen.Server, seen.Untrusted)
	})
}

func secretCA(v view) []Result {
	if v.command != "verify" {
		return willHaveCA(v)
	}
	primary, _ := v.mesh.Primary()
	return v.held(func(c mesh.Cluster, s snapshot.RemoteSecret) []Result {
		const meaning = "(does a proxy stand before the API server? Then give --remote-server the server's own address)"
		dial, made := v.dialled(c)
		switch {
		case made && dial.Error != "":
			return skip("needs secret-unreachable")
		case made && dial.Trusted:
			return pass("the CA in Secret %s is that of the API server, as pods of %s see it", s.Secret, primary.Name)
		case made:
			return fail(v.attachOver(c), "Secret %s: the certificate that %s shows to pods of %s is not signed by the secret's CA, or is for another name %s",
				s.Secret, s.Server, primary.Name, meaning)
		case s.Use == nil:
			return skip("its credentials were not tried")
		case s.Use.Problem == snapshot.UseUnknown:
			return notUsed(s)
		case s.Use.Problem == snapshot.ServerUnreachable:
			return skip("it does not answer from here")
		case s.Use.Problem == snapshot.ServerUntrusted:
			return fail(v.attachOver(c), "Secret %s: the certificate of %s is not signed by the secret's CA %s: %s", s.Secret, s.Server, meaning, s.Use.Error)
		}
		return pass("the CA in Secret %s is the API server's", s.Secret)
	})
}

func tokenExpired(v view) []Result {
	return v.used(func(c mesh.Cluster, s snapshot.RemoteSecret) []Result {
		switch {
		case s.Use.Problem == snapshot.ServerUnreachable, s.Use.Problem == snapshot.ServerUntrusted:
			return skip("from here the API server is not reached, so that the token was not tried")
		case s.Use.Problem == snapshot.UseUnknown:
			return notUsed(s)
		case s.Use.Problem != snapshot.TokenRefused:
			return pass("the token in Secret %s is taken", s.Secret)
		case v.lacksToken(c):
			return skip("needs token-missing")
		}
		return fail(v.attachOver(c), "the token in Secret %s is refused by %s: istiod goes on with what it has read before, and sees no change",
			s.Secret, s.Server)
	})
}

func readerRBAC(v view) []Result {
	return v.used(func(c mesh.Cluster, s snapshot.RemoteSecret) []Result {
		if s.Use.Problem == snapshot.UseUnknown {
			return notUsed(s)
		}
		if s.Use.Problem != "" {
			return skip("the credentials can't be used")
		}
		if len(s.Use.Denied) == 0 {
			return pass("istiod may read what it needs")
		}
		return fail(v.attachOver(c), "ServiceAccount istio-reader-service-account in %s may not %s",
			v.mesh.Namespace, describe(s.Use.Denied))
	})
}

func secretNamespace(v view) []Result {
	return v.primary(func(c mesh.Cluster, seen *snapshot.Cluster) []Result {
		if r := blind(seen, snapshot.StraySecretsPart); r != nil {
			return r
		}
		if len(seen.StraySecrets) == 0 {
			return pass("none outside of %s", v.mesh.Namespace)
		}
		namespace, name, _ := strings.Cut(seen.StraySecrets[0], "/")
		return fail(v.kubectl(c, "-n", namespace, "delete", "secret", name),
			"remote secrets outside of %s, where istiod does not look (attach a cluster that is not in the mesh anew): %s", v.mesh.Namespace, strings.Join(seen.StraySecrets, ", "))
	})
}

func syncPartial(v view) []Result {
	primary, _ := v.mesh.Primary()
	return v.remotes(func(c mesh.Cluster, _ *snapshot.Cluster) []Result {
		plane, found := v.plane()
		if !found || len(plane.Replicas) < 2 {
			return nil
		}
		var has, lacks []string
		for _, replica := range plane.Replicas {
			synced := slices.ContainsFunc(replica.Clusters, func(s snapshot.SyncedRemote) bool { return s.ID == c.Name && s.Status == snapshot.Synced })
			switch {
			case replica.Error != "":
			case synced:
				has = append(has, replica.Pod)
			default:
				lacks = append(lacks, replica.Pod)
			}
		}
		if len(has) == 0 || len(lacks) == 0 {
			return pass("replicas agree")
		}
		// An istiod that waits for a remote may take half a minute to end.
		return fail(v.kubectlThere(primary, append([]string{"delete", "pod", "--wait=false"}, lacks...)...),
			"%s has read this cluster, %s has not: proxies see its endpoints or not, by whom they are served", strings.Join(has, ", "), strings.Join(lacks, ", "))
	})
}

// secretStale: a secret whose cluster answers nobody, and to which nobody has a context, is most likely of a cluster
// that is gone.
func secretStale(v view) []Result {
	primary, _ := v.mesh.Primary()
	return v.held(func(c mesh.Cluster, s snapshot.RemoteSecret) []Result {
		if _, made := v.dialled(c); !made && s.Use == nil {
			return skip("its credentials were not tried")
		}
		if !v.gone(c, s) {
			return pass("Secret %s is of a cluster that is there", s.Secret)
		}
		return fail(v.kubectlThere(primary, "delete", "secret", s.Secret),
			"Secret %s: %s. No context leads to it: is the cluster gone? Every start of istiod waits for it", s.Secret, v.unanswered(c, s))
	})
}
