package check

import (
	"github.com/kubectl-mesh/kubectl-mesh/pkg/facts"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/mesh"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/snapshot"
)

func secretCACheck() Check {
	return Check{
		ID: "secret-ca", Subject: OfLink, Category: Credentials,
		Title:  "the CA in the remote secret is the API server's",
		Before: []string{BeforeAttach}, Verify: true, Preflight: true,
		Needs: []string{"secret-localhost", "secret-proxy", "secret-unreachable"},
		Why: `The API server's certificate is not signed by the CA in the remote secret. A proxy in front of it (Rancher, Loft, a
			company's TLS inspection) shows its own (#51376), or the cluster's CA was rotated. With --traffic, pods of the primary
			look at it, and what they see counts. Before a cluster is attached, it is looked at from where the command runs, if
			the kubeconfig checks the certificate by another CA, or not at all.`,
		Fix:   `Attach the cluster again, with --remote-server and the API server's own address if a proxy stands before it.`,
		judge: secretCA, judgeBefore: secretCABefore,
	}
}

func secretCA(v view) []Result {
	return v.eachSecret(func(c mesh.Cluster, s snapshot.RemoteSecret) []Result {
		const meaning = "(does a proxy stand before the API server? Then give --remote-server the server's own address)"
		dial, made := v.podHandshake(c)
		switch {
		case made && dial.Error != "":
			return needs("secret-unreachable")
		case made && dial.Trusted:
			return pass("the CA in Secret %s is that of the API server, as pods of %s see it", s.Secret, v.home.Name)
		case made:
			return fail(v.attachForced(c), "Secret %s: the certificate that %s shows to pods of %s is not signed by the secret's CA, or is for another name %s",
				s.Secret, s.Server, v.home.Name, meaning)
		case s.Use == nil:
			return skip("its credentials were not tried")
		case s.Use.Problem == snapshot.UseUnknown:
			return notUsed(s)
		case s.Use.Problem == snapshot.ServerUnreachable:
			return skip("it does not answer from here")
		case s.Use.Problem == snapshot.ServerUntrusted:
			return fail(v.attachForced(c), "Secret %s: the certificate of %s is not signed by the secret's CA %s: %s", s.Secret, s.Server, meaning, s.Use.Error)
		}
		return pass("the CA in Secret %s is the API server's", s.Secret)
	})
}

// secretCABefore judges the CA that a remote secret is to have, which is the cluster's own.
func secretCABefore(v view) []Result {
	return v.eachRead(func(c mesh.Cluster, seen *snapshot.Cluster) []Result {
		switch {
		case !answersFromHere(seen):
			return needs("reachable") // which verify asks of the server in the secret
		case unreadable(seen, snapshot.CertificateAuthority) != nil:
			return unreadable(seen, snapshot.CertificateAuthority)
		case c.Server != "" && !facts.SameServer(c.Server, seen.Server):
			return skip("the primary calls another address than the kubeconfig's")
		case seen.Untrusted == "":
			return pass("the cluster's CA is that of its API server")
		}
		return fail(advice("give the address of the API server itself").and(v.attach(c, "--remote-server", "https://ADDRESS:PORT").fill("ADDRESS:PORT")),
			"istiod would refuse the certificate that is shown at %s, since it is not of the cluster's own CA; does a proxy stand before the API server? %s",
			seen.Server, seen.Untrusted)
	})
}
