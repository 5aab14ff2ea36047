package check

import (
	"slices"
	"strings"

	"github.com/kubectl-mesh/kubectl-mesh/pkg/facts"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/mesh"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/snapshot"
)

func secretMissingCheck() Check {
	return Check{
		ID: "secret-missing", Subject: OfLink, Category: Credentials,
		Title:          "the primary has credentials for the remote",
		Verify:         true,
		Needs:          []string{"same-cluster"},
		NeedsOfPrimary: []string{"no-istiod"},
		Why: `The primary has no remote secret for a cluster that is said to be its remote: it was deleted, or the cluster was never
			attached. istiod does not know of the cluster, so its Services have no endpoints for the rest of the mesh, and its
			pods get no identity.`,
		Fix:   `Attach the cluster.`,
		judge: secretMissing,
	}
}

func secretMissing(v view) []Result {
	return v.eachRead(func(c mesh.Cluster, _ *snapshot.Cluster) []Result {
		if p := v.seenHome(); p == nil || unreadable(p, snapshot.RemoteSecretsPart) != nil {
			return needs("secret-malformed")
		}
		if secret, found := v.secretOf(c.Name); found {
			return pass("Secret %s", secret.Secret)
		}
		return fail(v.attach(c), "no remote secret in %s of the primary names this cluster: istiod does not know of it", v.mesh.Namespace)
	})
}

func secretMalformedCheck() Check {
	return Check{
		ID: "secret-malformed", Subject: OfControlPlane, Category: Credentials,
		Title:  "istiod can read every remote secret",
		Verify: true, Preflight: true,
		Why: `istiod can't use a remote secret: its kubeconfig can't be read, or has what istiod refuses, such as a program to run
			or a file to read. istiod says so only in its log: the cluster is simply not there.`,
		Fix:   `Delete the secret and attach the cluster again.`,
		judge: secretMalformed,
	}
}

func secretMalformed(v view) []Result {
	return v.ownCluster(func(_ mesh.Cluster, seen *snapshot.Cluster) []Result {
		if !answersFromHere(seen) {
			return needs("reachable")
		}
		if r := unreadable(seen, snapshot.RemoteSecretsPart); r != nil {
			return r
		}
		var results []Result
		for _, s := range seen.RemoteSecrets {
			if s.Error == "" {
				continue
			}
			fix := v.kubectlNamespaced(v.home, "delete", "secret", s.Secret)
			if i := slices.IndexFunc(v.mesh.Clusters, func(c mesh.Cluster) bool { return c.Name == s.Cluster && hasContext(c) }); i >= 0 {
				fix = fix.and(v.attach(v.mesh.Clusters[i]))
			}
			malformed := fail(fix, "Secret %s in %s, key %s: %s", s.Secret, v.mesh.Namespace, s.Cluster, s.Error)
			malformed[0].Cluster = s.Cluster
			results = append(results, malformed...)
		}
		if results == nil {
			return pass("remote secrets: %d", len(seen.RemoteSecrets))
		}
		return results
	})
}

func secretNamespaceCheck() Check {
	return Check{
		ID: "secret-namespace", Subject: OfControlPlane, Category: Credentials,
		Title:  "remote secrets are where istiod looks",
		Verify: true,
		Needs:  []string{"reachable"},
		Why: `A remote secret is in a namespace in which istiod does not look; it reads only its own (#49780). It does nothing there
			but hold a token that works.`,
		Fix:   `Delete it, and attach the cluster again.`,
		judge: secretNamespace,
	}
}

func secretNamespace(v view) []Result {
	return v.ownCluster(func(c mesh.Cluster, seen *snapshot.Cluster) []Result {
		if r := unreadable(seen, snapshot.StraySecretsPart); r != nil {
			return r
		}
		if len(seen.StraySecrets) == 0 {
			return pass("none outside of %s", v.mesh.Namespace)
		}
		namespace, name, _ := strings.Cut(seen.StraySecrets[0], "/")
		return fail(v.kubectl(c, "-n", namespace, "delete", "secret", name),
			"remote secrets outside of %s, where istiod does not look (attach a cluster that is not in the mesh again): %s", v.mesh.Namespace, strings.Join(seen.StraySecrets, ", "))
	})
}

func secretStaleCheck() Check {
	return Check{
		ID: "secret-stale", Subject: OfLink, Category: Credentials,
		Title:  "every remote secret is of a cluster that is there",
		Verify: true,
		Why: `A remote secret names a cluster whose API server answers nobody, and no context of yours leads to it. Most likely the
			cluster is gone. Each start of istiod waits for it, for up to 30 seconds, before proxies get their configuration
			(#30838, #33564).`,
		Fix:   `Delete the secret. If the cluster does exist, give it an address that the primary reaches.`,
		judge: secretStale,
	}
}

// secretStale: a secret whose cluster answers nobody, and to which nobody has a context, is most likely of a cluster
// that is gone.
func secretStale(v view) []Result {
	return v.eachSecret(func(c mesh.Cluster, s snapshot.RemoteSecret) []Result {
		if _, made := v.podHandshake(c); !made && s.Use == nil {
			return skip("its credentials were not tried")
		}
		if !v.seemsDeleted(c, s) {
			return pass("Secret %s is of a cluster that is there", s.Secret)
		}
		return fail(v.kubectlNamespaced(v.home, "delete", "secret", s.Secret),
			"Secret %s: %s. No context leads to it: is the cluster gone? Every start of istiod waits for it", s.Secret, v.unanswered(c, s))
	})
}

// seemsDeleted is true for a cluster that answers nobody and to which no context leads.
func (v view) seemsDeleted(c mesh.Cluster, s snapshot.RemoteSecret) bool {
	return !hasContext(c) && v.unanswered(c, s) != "" && (s.Use == nil || unreachableFromHere(s))
}

// secretOf is the remote secret that istiod uses for a cluster.
func (v view) secretOf(cluster string) (snapshot.RemoteSecret, bool) {
	return facts.SecretOf(v.seenHome(), cluster)
}

// orSecretMissing judges a cluster as ask does. One that the control plane has no credentials for lacks all else as well:
// secret-missing reports it, and attaching it fixes it.
func (v view) orSecretMissing(ask judgeCluster) judgeCluster {
	home := v.seenHome()
	return func(c mesh.Cluster, seen *snapshot.Cluster) []Result {
		results := ask(c, seen)
		if _, found := v.secretOf(c.Name); found || home == nil || unreadable(home, snapshot.RemoteSecretsPart) != nil {
			return results
		}
		for i := range results {
			if results[i].Status == Fail {
				results[i] = needs("secret-missing")[0]
			}
		}
		return results
	}
}

// eachSecret asks about the remotes' secrets that istiod can read.
func (v view) eachSecret(ask func(c mesh.Cluster, secret snapshot.RemoteSecret) []Result) []Result {
	return v.eachRead(func(c mesh.Cluster, _ *snapshot.Cluster) []Result {
		secret, found := v.secretOf(c.Name)
		switch {
		case !found:
			return needs("secret-missing")
		case secret.Error != "":
			return needs("secret-malformed")
		}
		return ask(c, secret)
	})
}

// eachTriedSecret asks about what came of using a remote's credentials from here.
func (v view) eachTriedSecret(ask func(c mesh.Cluster, secret snapshot.RemoteSecret) []Result) []Result {
	return v.eachSecret(func(c mesh.Cluster, secret snapshot.RemoteSecret) []Result {
		if secret.Use == nil {
			return skip("its credentials were not tried")
		}
		return ask(c, secret)
	})
}

// notUsed is the result where nobody can tell what would have come of using a secret's credentials.
func notUsed(s snapshot.RemoteSecret) []Result {
	return unknown(Fix{}, "Secret %s: could not try its credentials: %s", s.Secret, s.Use.Error)
}
