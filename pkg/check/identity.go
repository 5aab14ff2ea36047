package check

import (
	"cmp"
	"slices"
	"strings"

	"github.com/kubectl-mesh/kubectl-mesh/pkg/mesh"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/snapshot"
)

// nameDuplicate: a name stands for one cluster, and a cluster has one name. Clusters are told apart by their UIDs.
func nameDuplicate(v view) []Result {
	primary, _ := v.mesh.Primary()
	seenPrimary := v.snapshot.Clusters[primary.Name]
	if seenPrimary == nil {
		return nil
	}
	if r := blind(seenPrimary, snapshot.RemoteSecretsPart); r != nil {
		return v.primary(func(mesh.Cluster, *snapshot.Cluster) []Result { return r })
	}
	// istiod ignores it; who asks has it told apart from the remotes.
	for _, s := range seenPrimary.RemoteSecrets {
		if v.command == "verify" && s.Cluster == primary.Name && primary.Name != "" {
			return v.primary(func(c mesh.Cluster, _ *snapshot.Cluster) []Result {
				return fail(v.kubectlThere(c, "delete", "secret", s.Secret),
					"Secret %s in %s has the primary's own name %q: istiod ignores it", s.Secret, v.mesh.Namespace, c.Name)
			})
		}
	}
	return v.remotes(func(c mesh.Cluster, seen *snapshot.Cluster) []Result {
		if c.Name == primary.Name {
			return fail(v.attachAs("NAME", c).fill("NAME"), "the name %q is the primary's own; istiod would ignore the remote", c.Name)
		}
		return v.ownName(c, seen, seenPrimary.RemoteSecrets)
	})
}

// ownName judges a remote's name against the primary's secrets.
func (v view) ownName(c mesh.Cluster, seen *snapshot.Cluster, secrets []snapshot.RemoteSecret) []Result {
	var holders []string
	for _, s := range secrets {
		leads, known := leadsTo(s, seen)
		switch {
		case s.Cluster == c.Name && (leads || s.Error != ""): // istiod can use no secret with an error, so nothing of it is lost
			holders = append(holders, s.Secret)
		case s.Cluster == c.Name && known:
			return fail(v.attachAs("NAME", c).fill("NAME"),
				"the name %q is taken: Secret %s in %s gives it to another cluster, at %s", c.Name, s.Secret, v.mesh.Namespace, s.Server)
		case s.Cluster == c.Name && blind(seen, snapshot.Identity) == nil:
			return []Result{{
				Status: Unknown,
				Seen: "Secret " + s.Secret + " in " + v.mesh.Namespace + " has the name " + c.Name + ", and whether it leads to this cluster or another can't be told: " +
					reason(s),
				Fix: advice("if it is this cluster's, delete the secret and attach the cluster again; if not, give this one another name, as NAME=%s", c.Context).
					and(v.lookThere(v.thePrimary(), "get", "secret", s.Secret, "-o", "yaml")),
			}}
		case leads:
			if v.command == "verify" {
				return v.twice(c, seen, s)
			}
			if other := v.snapshot.Clusters[s.Cluster]; other != nil && other.UID == seen.UID {
				return skip("needs same-cluster") // it was given twice
			}
			return fail(v.attachAs(s.Cluster, c),
				"this cluster is already attached as %q (Secret %s in %s), and a cluster has one name", s.Cluster, s.Secret, v.mesh.Namespace)
		}
	}
	if len(holders) > 1 {
		return fail(v.kubectlThere(v.thePrimary(), append([]string{"delete", "secret"}, holders[1:]...)...),
			"%d secrets name cluster %q: %s; istiod uses one and ignores the others", len(holders), c.Name, strings.Join(holders, ", "))
	}
	if r := blind(seen, snapshot.Identity); r != nil && len(secrets) > 0 {
		return r // whether those are of this cluster can't be told
	}
	return pass("%s", c.Name)
}

// leadsTo says whether a secret leads to a cluster; known is false where nobody can tell. Of one whose UID could not be
// read, its token tells: one that is not that of the cluster's own account is of no use there.
func leadsTo(s snapshot.RemoteSecret, seen *snapshot.Cluster) (leads, known bool) {
	switch {
	case seen.Secret != "" && seen.Secret == s.Secret: // it was read with this very secret
		return true, true
	case s.UID != "" && seen.UID != "":
		return s.UID == seen.UID, true
	case s.Token != "" && seen.ReaderToken != nil && seen.ReaderToken.Token == s.Token:
		return true, true
	}
	return false, false
}

// reason is why nobody can tell where a secret leads.
func reason(s snapshot.RemoteSecret) string {
	if s.Unidentified == nil {
		return "its credentials were not tried"
	}
	return cmp.Or(s.Unidentified.Error, "its credentials do not tell")
}

// twice is a cluster that two secrets know by different names: the one that its injector gives pods is right.
func (v view) twice(c mesh.Cluster, seen *snapshot.Cluster, other snapshot.RemoteSecret) []Result {
	for _, i := range v.injectors(seen) {
		if slices.ContainsFunc(i.Paths, func(path string) bool { return snapshot.ClusterOfPath(path) == c.Name }) {
			return pass("%s", c.Name)
		}
	}
	mine, _ := v.secretOf(c.Name)
	return fail(v.kubectlThere(v.thePrimary(), "delete", "secret", mine.Secret),
		"Secret %s in %s gives the name %q to a cluster that is attached as %q (Secret %s): its endpoints are there twice",
		mine.Secret, v.mesh.Namespace, c.Name, other.Cluster, other.Secret)
}
