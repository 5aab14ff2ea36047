package plan

import (
	"slices"
	"strings"

	"github.com/kubectl-mesh/kubectl-mesh/pkg/facts"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/mesh"
)

// addDetachment takes a remote out of the mesh: every istiod forgets it before its webhooks and the account that istiods read it
// through are deleted. Istio's custom resource definitions stay, since users' objects would go with them. Where nothing of it is
// found, nothing is planned.
func (b *builder) addDetachment(c mesh.Cluster) {
	var forgotten []string
	for _, primary := range b.mesh.Primaries() {
		held := facts.SecretsOf(b.seen(primary.Name), c.Name)
		if len(held) == 0 {
			continue
		}
		var secrets []SeenSecret
		for _, secret := range held {
			secrets = append(secrets, SeenSecret{secret.Secret, secret.SecretUID})
		}
		drop := b.add(DetachRemote, primary.Name, "drop-secret-"+c.Name, "Take the credentials for "+c.Name+" away",
			DropRemoteSecrets{Remote: c.Name, Secrets: secrets})
		forgotten = append(forgotten, b.addAlways(DetachRemote, primary.Name, "forgotten-"+c.Name, "Wait until every istiod has forgotten "+c.Name,
			AwaitForgotten{Remote: c.Name, Restart: !b.options.NoRestart}, drop))
	}
	seen := b.seen(c.Name)
	if seen.Namespace == nil {
		return
	}
	server, _ := b.mesh.PrimaryOf(c)
	profile := b.add(DetachRemote, c.Name, "no-profile", "Delete the remote profile", DeleteRemote{Part: ProfilePart, Shared: b.aloneIn(c)}, forgotten...)
	b.add(DetachRemote, c.Name, "no-reader", "Delete the account that istiod reads through", DeleteRemote{Part: ReaderPart, Shared: b.aloneIn(c)}, forgotten...)
	if clusters := without(seen.Namespace.ControlPlaneClusters, server.Name); clusters != seen.Namespace.ControlPlaneClusters {
		b.add(DetachRemote, c.Name, "namespace", "Take primary "+server.Name+" off namespace "+b.mesh.Namespace,
			ApplyNamespace{Network: seen.Namespace.Network, ControlPlaneClusters: clusters}, profile)
	}
}

// aloneIn is true where a remote has injectors of the mesh's revision only, so that what revisions share goes with it.
func (b *builder) aloneIn(c mesh.Cluster) bool {
	for _, injector := range b.seen(c.Name).Injectors {
		if injector.Revision != b.mesh.RevisionLabel() {
			return false
		}
	}
	return true
}

// without takes a primary off a remote's annotation; others stay.
func without(controlPlaneClusters, primary string) string {
	return strings.Join(slices.DeleteFunc(strings.Split(controlPlaneClusters, ","), func(name string) bool { return strings.TrimSpace(name) == primary }), ",")
}
