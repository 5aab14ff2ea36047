package check

import (
	"cmp"
	"slices"
	"strings"

	"github.com/kubectl-mesh/kubectl-mesh/pkg/facts"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/mesh"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/snapshot"
)

func nameDuplicateCheck() Check {
	return Check{
		ID: "name-duplicate", Subject: OfLink, Category: Credentials,
		Title:  "every cluster's name is its own",
		Before: []string{BeforeAttach}, Verify: true, Preflight: true,
		Needs: []string{"reachable", "secret-malformed"},
		Why: `A cluster's name must stand for one cluster. istiod ignores a remote with the primary's own name, and uses only the
			first of two secrets with one key, both silently (#36365). One cluster under two names gives every endpoint twice.
			Clusters are told apart by the UID of their namespace kube-system, which is read with each secret's own credentials.
			Where it can't be read, and the token is not the cluster's own, the answer is unknown.`,
		Fix:   `Keep one secret for each name, and give each cluster a name of its own (NAME=CONTEXT).`,
		judge: nameDuplicate,
	}
}

// nameDuplicate: a name stands for one cluster, and a cluster has one name. Clusters are told apart by their UIDs.
func nameDuplicate(v view) []Result {
	home := v.seenHome()
	if home == nil {
		return nil
	}
	if r := unreadable(home, snapshot.RemoteSecretsPart); r != nil {
		return v.ownCluster(func(mesh.Cluster, *snapshot.Cluster) []Result { return r })
	}
	// istiod ignores it, and it is none of the remotes.
	for _, s := range home.RemoteSecrets {
		if v.asker.finished && s.Cluster == v.home.Name && v.home.Name != "" {
			return v.ownCluster(func(c mesh.Cluster, _ *snapshot.Cluster) []Result {
				return fail(v.kubectlNamespaced(c, "delete", "secret", s.Secret),
					"Secret %s in %s has the primary's own name %q: istiod ignores it", s.Secret, v.mesh.Namespace, c.Name)
			})
		}
	}
	return v.eachRead(func(c mesh.Cluster, seen *snapshot.Cluster) []Result {
		if c.Name == v.home.Name {
			return fail(v.attachAs("NAME", c).fill("NAME"), "the name %q is the primary's own; istiod would ignore the remote", c.Name)
		}
		return v.judgeName(c, seen, home.RemoteSecrets)
	})
}

// judgeName judges a remote's name against the primary's secrets.
func (v view) judgeName(c mesh.Cluster, seen *snapshot.Cluster, secrets []snapshot.RemoteSecret) []Result {
	var holders []string
	for _, s := range secrets {
		leads, known := facts.IsFor(s, seen)
		switch {
		case s.Cluster == c.Name && (leads || s.Error != ""): // istiod can use no secret with an error, so nothing of it is lost
			holders = append(holders, s.Secret)
		case s.Cluster == c.Name && known:
			return fail(v.attachAs("NAME", c).fill("NAME"),
				"the name %q is taken: Secret %s in %s gives it to another cluster, at %s", c.Name, s.Secret, v.mesh.Namespace, s.Server)
		case s.Cluster == c.Name && unreadable(seen, snapshot.Identity) == nil:
			return unknown(advice("if it is this cluster's, delete the secret and attach the cluster again; if not, give this one another name, as NAME=%s", c.Context).
				and(v.inspectNamespaced(v.home, "get", "secret", s.Secret, "-o", "yaml")),
				"Secret %s in %s has the name %s, and whether it leads to this cluster or another can't be told: %s",
				s.Secret, v.mesh.Namespace, c.Name, whyUnidentified(s))
		case leads:
			if v.asker.finished {
				return v.twoNames(c, seen, s)
			}
			if other := v.snapshot.Clusters[s.Cluster]; other != nil && facts.SameCluster(other, seen) {
				return needs("same-cluster") // it was given twice
			}
			return fail(v.attachAs(s.Cluster, c),
				"this cluster is already attached as %q (Secret %s in %s), and a cluster has one name", s.Cluster, s.Secret, v.mesh.Namespace)
		}
	}
	if len(holders) > 1 {
		return fail(v.kubectlNamespaced(v.home, append([]string{"delete", "secret"}, holders[1:]...)...),
			"%d secrets name cluster %q: %s; istiod uses one and ignores the others", len(holders), c.Name, strings.Join(holders, ", "))
	}
	if r := unreadable(seen, snapshot.Identity); r != nil && len(secrets) > 0 {
		return r // whether those are of this cluster can't be told
	}
	return pass("%s", c.Name)
}

// whyUnidentified is why nobody can tell where a secret leads.
func whyUnidentified(s snapshot.RemoteSecret) string {
	if s.Unidentified == nil {
		return "its credentials were not tried"
	}
	return cmp.Or(s.Unidentified.Error, "its credentials do not tell")
}

// twoNames judges a cluster that two secrets know by different names: the one that its injector gives pods is right.
func (v view) twoNames(c mesh.Cluster, seen *snapshot.Cluster, other snapshot.RemoteSecret) []Result {
	for _, i := range v.injectors(seen) {
		if slices.ContainsFunc(i.Paths, func(path string) bool { return snapshot.ClusterOfPath(path) == c.Name }) {
			return pass("%s", c.Name)
		}
	}
	mine, _ := v.secretOf(c.Name)
	return fail(v.kubectlNamespaced(v.home, "delete", "secret", mine.Secret),
		"Secret %s in %s gives the name %q to a cluster that is attached as %q (Secret %s): its endpoints are there twice",
		mine.Secret, v.mesh.Namespace, c.Name, other.Cluster, other.Secret)
}

func nameMismatchCheck() Check {
	return Check{
		ID: "name-mismatch", Subject: OfLink, Category: Injection,
		Title:  "the injector gives pods the cluster's name",
		Verify: true,
		Needs:  []string{"revision-mismatch", "name-duplicate"},
		Why: `The injector's path gives pods a cluster name that differs from the key of the remote secret. istiod knows the cluster
			by the key alone and refuses the pods' certificates, and locality goes wrong (#47791).`,
		Fix:   `Attach the cluster again; name, key and path then have one source.`,
		judge: nameMismatch,
	}
}

func nameMismatch(v view) []Result {
	return v.eachRemote(v.orSecretMissing(func(c mesh.Cluster, seen *snapshot.Cluster) []Result {
		if r := unreadable(seen, snapshot.Injectors); r != nil {
			return r
		}
		injectors := v.injectors(seen)
		for _, i := range injectors {
			for _, path := range i.Paths {
				if name := snapshot.ClusterOfPath(path); name != c.Name {
					return fail(v.attachForced(c), "MutatingWebhookConfiguration %s injects cluster %q (path %s), but the remote secret's key is %q: istiod would refuse the pods",
						i.Name, name, path, c.Name)
				}
			}
		}
		if len(injectors) == 0 {
			return needs("revision-mismatch")
		}
		return pass("%s", strings.Join(injectors[0].Paths, ", "))
	}))
}
