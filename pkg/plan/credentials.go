package plan

import (
	"slices"
	"strings"

	"github.com/kubectl-mesh/kubectl-mesh/pkg/facts"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/istio/release"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/istio/wellknown"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/mesh"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/snapshot"
)

// addLinks gives a primary's control plane the credentials for the clusters that it reads and does not serve: other primaries, and
// their remotes.
func (b *builder) addLinks(primary mesh.Cluster) {
	for _, c := range b.mesh.ReadBy(primary) {
		server, found := b.mesh.PrimaryOf(c)
		if !found || server.Name == primary.Name {
			continue
		}
		token, served := c.Name+"/token", c.Name+"/served" // steps of a remote, which its primary serves
		if c.Role == mesh.Primary {
			token, served = b.addReaderToken(c)
		}
		b.addCredentials(LinkPrimaries, primary, c, []string{token}, token, served)
	}
}

// addReaderToken gives the account by which others read a primary a token. The account itself comes with the control plane.
func (b *builder) addReaderToken(c mesh.Cluster) (token, served string) {
	token, served = c.Name+"/token", c.Name+"/served"
	if slices.ContainsFunc(b.steps, func(s Step) bool { return s.ID == token }) {
		return token, served
	}
	reader := b.add(LinkPrimaries, c.Name, "reader-token", "Create a token for the account that istiods read through", ApplyReaderToken{}, c.Name+"/control-plane")
	token = b.add(LinkPrimaries, c.Name, "token", "Wait for the account's token", AwaitToken{}, reader)
	served = b.add(LinkPrimaries, c.Name, "served", "Wait until Istio's resources are served", AwaitServed{}, c.Name+"/control-plane")
	return token, served
}

// addCredentials gives a primary's control plane the credentials for a cluster, and waits until it has read it. What takes old ones away
// needs what replaces them.
func (b *builder) addCredentials(stage Stage, primary, c mesh.Cluster, replacement []string, needs ...string) string {
	wanted, held := b.credentials(primary, c), facts.SecretsOf(b.seen(primary.Name), c.Name)
	before := b.addRenewal(stage, primary, c, wanted, held, replacement)
	secret := b.add(stage, primary.Name, "remote-secret-"+c.Name, "Give istiod the credentials for "+c.Name, wanted,
		append(append(before, needs...), primary.Name+"/istiod")...)
	return b.add(stage, primary.Name, "synced-"+c.Name, "Wait until every istiod has read "+c.Name,
		AwaitSynced{Remote: c.Name, Restart: !b.options.NoRestart}, secret)
}

// credentials are those that a primary is given for a cluster: the API server's address is the user's, else the kubeconfig's.
func (b *builder) credentials(primary, c mesh.Cluster) ApplyRemoteSecret {
	seen, held := b.seen(c.Name), facts.SecretsOf(b.seen(primary.Name), c.Name)
	plane, _ := b.seen(primary.Name).ControlPlane(b.mesh.RevisionLabel())
	wanted := ApplyRemoteSecret{Remote: c.Name, Server: c.Server, New: len(held) == 0, InPlace: release.Of(plane.Version).TakesOverCredentials()}
	if c.Server == "" || c.Server == seen.Server {
		wanted.Server, wanted.TLSServerName = seen.Server, seen.TLSServerName
	} else if len(held) > 0 && held[0].Server == c.Server {
		wanted.TLSServerName = held[0].TLSServerName
	}
	return wanted
}

// addRenewal makes istiod forget a remote of which it is to be told again: where it does not lead, since it decides that once,
// when it is told of the cluster, and where the credentials change, since an istiod that sees them change in a secret may
// permanently stop watching the cluster (istio/istio#59875). Secrets under other names than ours, and a second one of the
// same cluster, go with them. They go only when what replaces them is at hand. It returns what the new secret must wait
// for.
func (b *builder) addRenewal(stage Stage, primary, remote mesh.Cluster, wanted ApplyRemoteSecret, held []snapshot.RemoteSecret, needs []string) []string {
	plane, _ := b.seen(primary.Name).ControlPlane(b.mesh.RevisionLabel())
	stopped := !b.options.NoRestart && len(facts.GivenUpBy(plane)) > 0
	forget := b.mustForget(primary, remote, wanted, held)
	if forget {
		var secrets []SeenSecret
		for _, secret := range held {
			secrets = append(secrets, SeenSecret{secret.Secret, secret.SecretUID})
		}
		needs = []string{b.add(stage, primary.Name, "drop-secret-"+remote.Name, "Take the credentials for "+remote.Name+" away, for istiod to decide again",
			DropRemoteSecrets{Remote: remote.Name, Secrets: secrets}, needs...)}
	}
	if stopped {
		restart := b.add(stage, primary.Name, "restart-for-"+remote.Name, "Restart istiod, which has stopped watching "+strings.Join(facts.GivenUpBy(plane), ", "),
			RestartIstiod{}, needs...)
		needs = []string{b.addAlways(stage, primary.Name, "restarted-for-"+remote.Name, "Wait for istiod", AwaitDeployment{Name: b.revisioned(wellknown.Istiod)}, restart)}
	}
	if forget {
		needs = []string{b.addAlways(stage, primary.Name, "forgotten-"+remote.Name, "Wait until every istiod has forgotten "+remote.Name,
			AwaitForgotten{Remote: remote.Name, Restart: !b.options.NoRestart}, needs...)}
	}
	return needs
}

// mustForget is true where istiod must be told of a cluster again.
func (b *builder) mustForget(primary, c mesh.Cluster, wanted ApplyRemoteSecret, held []snapshot.RemoteSecret) bool {
	switch {
	case len(held) == 0:
		return false
	case len(held) > 1 || held[0].Secret != wellknown.RemoteSecretPrefix+wanted.Remote:
		return true
	case !facts.SameCredentials(held[0], remoteSecret(wanted, b.seen(c.Name).ReaderToken)) && !wanted.InPlace:
		return true
	}
	server, _ := b.mesh.PrimaryOf(c)
	return server.Name == primary.Name && !facts.Leads(b.seen(primary.Name), b.seen(c.Name), primary.Name, b.mesh.RevisionLabel())
}

// discovery are the selectors of the mesh's control plane.
func (b *builder) discovery(primary mesh.Cluster) snapshot.DiscoverySelectors {
	plane, _ := b.seen(primary.Name).ControlPlane(b.mesh.RevisionLabel())
	return plane.DiscoverySelectors
}

// remoteSecret is the secret that credentials make with the token that the reader's account has.
func remoteSecret(credentials ApplyRemoteSecret, token *snapshot.ReaderToken) snapshot.RemoteSecret {
	secret := snapshot.RemoteSecret{Secret: wellknown.RemoteSecretPrefix + credentials.Remote, Server: credentials.Server, TLSServerName: credentials.TLSServerName}
	if token != nil {
		secret.Token, secret.CA = token.Token, token.CA
	}
	return secret
}
