package check

import (
	"github.com/kubectl-mesh/kubectl-mesh/pkg/istio/wellknown"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/mesh"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/snapshot"
)

func tokenMissingCheck() Check {
	return Check{
		ID: "token-missing", Subject: OfLink, Category: Credentials,
		Title:  "the account that istiod reads through has a token",
		Verify: true,
		Needs:  []string{"reachable"},
		Why: `istiod reads a remote through the account istio-reader-service-account, with a token from a Secret that the remote's
			controller manager fills. Kubernetes makes no such Secret by itself since 1.24 (#38246).`,
		Fix:   `Attach the cluster again. If the Secret is there and stays empty, the token controller says why in its events.`,
		judge: tokenMissing,
	}
}

func tokenMissing(v view) []Result {
	return v.eachRead(v.orSecretMissing(func(c mesh.Cluster, seen *snapshot.Cluster) []Result {
		if r := unreadable(seen, snapshot.ReaderTokenPart); r != nil {
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
	}))
}

// lacksToken is true for a remote that was read and has no token. Of one that could not be read this is not known, and a
// refused token is reported.
func (v view) lacksToken(c mesh.Cluster) bool {
	seen := v.snapshot.Clusters[c.Name]
	return seen != nil && unreadable(seen, snapshot.ReaderTokenPart) == nil && (seen.ReaderToken == nil || !seen.ReaderToken.Filled)
}

func tokenExpiredCheck() Check {
	return Check{
		ID: "token-expired", Subject: OfLink, Category: Credentials,
		Title:  "the token in the remote secret is taken",
		Verify: true,
		Needs:  []string{"secret-unreachable", "secret-ca"},
		Why: `The remote's API server refuses the token in the remote secret: it was revoked, its Secret or account deleted, or it
			has expired. istiod goes on saying "synced", which is about its first reading only, and serves endpoints that get
			older and older (#60612, #34210).`,
		Fix:   `Attach the cluster again, which writes a token that works.`,
		judge: tokenExpired,
	}
}

func tokenExpired(v view) []Result {
	return v.eachTriedSecret(func(c mesh.Cluster, s snapshot.RemoteSecret) []Result {
		switch {
		case s.Use.Problem == snapshot.ServerUnreachable, s.Use.Problem == snapshot.ServerUntrusted:
			return skip("from here the API server is not reached, so that the token was not tried")
		case s.Use.Problem == snapshot.UseUnknown:
			return notUsed(s)
		case s.Use.Problem != snapshot.TokenRefused:
			return pass("the token in Secret %s is taken", s.Secret)
		case v.lacksToken(c):
			return needs("token-missing")
		}
		return fail(v.attachForced(c), "the token in Secret %s is refused by %s: istiod goes on with what it has read before, and sees no change",
			s.Secret, s.Server)
	})
}

func readerRBACCheck() Check {
	return Check{
		ID: "reader-rbac", Subject: OfLink, Category: Credentials,
		Title:  "istiod may read what it needs",
		Verify: true,
		Needs:  []string{"secret-unreachable", "secret-ca", "token-expired"},
		Why: `The account that istiod reads the remote through may not read all that this istiod needs; for example configmaps, from
			1.29 on (#59474). The role was installed by an older release. istiod then never finishes reading the cluster.`,
		Fix:   `Attach the cluster again, which writes the role of the primary's release.`,
		judge: readerRBAC,
	}
}

func readerRBAC(v view) []Result {
	return v.eachTriedSecret(func(c mesh.Cluster, s snapshot.RemoteSecret) []Result {
		if s.Use.Problem == snapshot.UseUnknown {
			return notUsed(s)
		}
		if s.Use.Problem != "" {
			return skip("the credentials can't be used")
		}
		if len(s.Use.Denied) == 0 {
			return pass("istiod may read what it needs")
		}
		return fail(v.attachForced(c), "ServiceAccount istio-reader-service-account in %s may not %s",
			v.mesh.Namespace, describe(s.Use.Denied))
	})
}
