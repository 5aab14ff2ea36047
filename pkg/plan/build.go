package plan

import (
	"fmt"
	"slices"
	"strings"

	"github.com/kubectl-mesh/kubectl-mesh/pkg/istio/wellknown"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/mesh"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/snapshot"
)

// Options are the user's choices that are not part of the mesh itself.
type Options struct {
	// Profile is Istio's profile for the primary; empty means the control plane alone.
	Profile string
	// Gateway are the choices for the east-west gateway.
	Gateway GatewayOptions
	// Wait adds the steps that wait until what was written works.
	Wait bool
	// KeepIstiod forbids to restart istiod.
	KeepIstiod bool
}

// GatewayOptions are the choices for the east-west gateway. What is left empty stays as it is in the cluster.
type GatewayOptions struct {
	Address      string
	SourceRanges []string
	Annotations  map[string]string
}

// Build makes the whole plan of a mesh: its primary, its east-west gateway, its remotes. The mesh must be complete
// (see Complete) and judged fit (pkg/check).
func Build(m mesh.Mesh, s *snapshot.Snapshot, o Options) []Step {
	b := builder{mesh: m, snapshot: s, options: o, dropped: map[string][]string{}}
	primary, found := m.Primary()
	if !found {
		return nil
	}
	b.primary(primary)
	b.gateway(primary)
	for _, remote := range m.Remotes() {
		b.remote(primary, remote)
	}
	return b.steps
}

type builder struct {
	mesh     mesh.Mesh
	snapshot *snapshot.Snapshot
	options  Options
	steps    []Step
	// dropped are the needs of the steps that were left out, by id.
	dropped map[string][]string
}

func (b *builder) add(stage Stage, cluster, what, title string, action Action, needs ...string) string {
	step := Step{ID: cluster + "/" + what, Cluster: cluster, Stage: stage, Title: title, Action: action, May: may(action)}
	step.Needs = b.kept(needs)
	if !step.Writes() && !b.options.Wait && !indispensable(action) {
		b.dropped[step.ID] = step.Needs
		return step.ID
	}
	b.steps = append(b.steps, step)
	return step.ID
}

// kept puts, in place of a wait that was dropped, what it would have waited for.
func (b *builder) kept(needs []string) []string {
	var kept []string
	for _, need := range needs {
		instead, dropped := b.dropped[need]
		if !dropped {
			instead = []string{need}
		}
		for _, id := range instead {
			if !slices.Contains(kept, id) {
				kept = append(kept, id)
			}
		}
	}
	return kept
}

// may is what an action does beside what its step's title says, where nothing else helps.
func may(a Action) string {
	const restart = "Restart istiod, replica by replica, if it has stopped processing remote secrets"
	switch a := a.(type) {
	case AwaitSynced:
		if a.Restart {
			return restart
		}
	case AwaitForgotten:
		if a.Restart {
			return restart
		}
	}
	return ""
}

// indispensable waits bring forth what a later write is made of, so that --wait=false can't drop them.
func indispensable(a Action) bool {
	switch a.(type) {
	case AwaitToken, AwaitAddress:
		return true
	}
	return false
}

func (b *builder) seen(cluster string) *snapshot.Cluster {
	if c := b.snapshot.Clusters[cluster]; c != nil {
		return c
	}
	return &snapshot.Cluster{}
}

func (b *builder) primary(c mesh.Cluster) {
	namespace := b.add(InstallPrimary, c.Name, "namespace", "Create namespace "+b.mesh.Namespace,
		ApplyNamespace{Network: c.Network})
	before := []string{namespace}
	if c.Converted {
		var slices []string
		for _, service := range b.seen(c.Name).IstiodServices {
			slices = append(slices, service.Written...)
		}
		before = append(before, b.add(ConvertRemote, c.Name, "no-remote", "Take away what made it a remote", DropRemoteProfile{Slices: slices}, namespace))
	}
	controlPlane := b.add(InstallPrimary, c.Name, "control-plane", "Install the control plane",
		ApplyControlPlane{
			Cluster: c.Name, MeshID: b.mesh.ID, Network: c.Network, Profile: b.options.Profile,
			DefaultTag: b.ownsDefaultTag(c.Name), CustomHosts: b.customHosts(c),
		}, before...)
	ready := b.add(InstallPrimary, c.Name, "istiod", "Wait for istiod",
		AwaitDeployment{Name: b.revisioned(wellknown.Istiod)}, controlPlane)
	b.add(InstallPrimary, c.Name, "injection", "Wait until sidecars are injected",
		AwaitInjection{Cluster: c.Name}, ready)
}

func (b *builder) gateway(c mesh.Cluster) {
	was, _ := b.seen(c.Name).Gateway(wellknown.EastWestGateway)
	wanted := b.options.Gateway
	action := ApplyGateway{
		Revision: b.gatewayRevision(c, was), Network: c.Network, SourceRanges: wanted.SourceRanges, Annotations: wanted.Annotations, Address: wanted.Address,
		WebhookPorts: was.WebhookPorts, Port443: keepsPort443(b.seen(c.Name), was),
	}
	// What the user chose in an earlier run stays: leaving a flag out must not open a gateway that was closed.
	if action.SourceRanges == nil {
		action.SourceRanges = was.SourceRanges
	}
	if action.Annotations == nil {
		action.Annotations = was.Annotations
	}
	if action.Address == "" && was.Override {
		action.Address = was.Address
	}

	// A primary that another tool installed may lack the label, by which istiod knows the network of its gateway.
	if has := b.seen(c.Name).Namespace; has != nil && has.Network != c.Network && c.Network != "" {
		b.add(ExposeIstiod, c.Name, "network", "Label namespace "+b.mesh.Namespace+" with its network", ApplyNamespace{Network: c.Network})
	}
	// The gateway's image is "auto", which only the injector can fill in.
	injection := b.addAlways(ExposeIstiod, c.Name, "gateway-injection", "Check that sidecars are injected",
		AwaitInjection{Cluster: c.Name}, c.Name+"/injection")
	gateway := b.add(ExposeIstiod, c.Name, "gateway", "Install the east-west gateway", action, injection)
	exposure := b.add(ExposeIstiod, c.Name, "exposure", "Publish istiod through the gateway",
		ApplyExposure{WebhookPort: was.WebhookPorts[b.mesh.Revision]}, injection)
	address := b.add(ExposeIstiod, c.Name, "address", "Wait for the gateway's address", AwaitAddress{}, gateway)
	b.hostname(c, action, address, exposure)
	b.add(ExposeIstiod, c.Name, "gateway-ready", "Wait for the gateway", AwaitDeployment{Name: wellknown.EastWestGateway, Discovery: b.discovery(c)}, gateway)
}

// gatewayRevision is the mesh's, unless the gateway is there already for another one that still runs: it serves all.
func (b *builder) gatewayRevision(c mesh.Cluster, was snapshot.Gateway) string {
	if _, runs := b.seen(c.Name).ControlPlane(was.Revision); !runs || was.Revision == "" {
		return b.mesh.Revision
	}
	if was.Revision == mesh.DefaultRevision {
		return ""
	}
	return was.Revision
}

// addAlways adds a step that --wait=false does not drop.
func (b *builder) addAlways(stage Stage, cluster, what, title string, action Action, needs ...string) string {
	wait := b.options.Wait
	b.options.Wait = true
	defer func() { b.options.Wait = wait }()
	return b.add(stage, cluster, what, title, action, needs...)
}

func (b *builder) remote(primary, remote mesh.Cluster) {
	plane, _ := b.seen(primary.Name).ControlPlane(b.mesh.RevisionLabel())
	gateway, _ := b.seen(primary.Name).Gateway(wellknown.EastWestGateway)
	seen := b.seen(remote.Name)
	apply := func(part RemotePart) ApplyRemote {
		return ApplyRemote{
			Part: part, MeshID: b.mesh.ID, Cluster: remote.Name, Network: remote.Network,
			Hub: plane.Hub, Version: plane.Version, Primary: primary.Name, DefaultTag: b.ownsDefaultTag(remote.Name),
			WebhookPort: gateway.WebhookPorts[b.mesh.Revision],
		}
	}
	held := b.secretsOf(primary.Name, remote.Name)
	server, serverName := remote.Server, ""
	if server == "" || server == seen.Server {
		server, serverName = seen.Server, seen.TLSServerName
	} else if len(held) > 0 && held[0].Server == server {
		serverName = held[0].TLSServerName
	}

	// The annotation comes first: istiod decides once, when it is told of the cluster, whether it leads there.
	namespace := b.add(AttachRemote, remote.Name, "namespace", "Create namespace "+b.mesh.Namespace+" for primary "+primary.Name,
		ApplyNamespace{Network: remote.Network, ControlPlaneClusters: controlPlaneClusters(seen, primary.Name)})
	reader := b.add(AttachRemote, remote.Name, "reader", "Create the account that istiod reads through", apply(ReaderPart), namespace)
	crds := b.add(AttachRemote, remote.Name, "crds", "Install Istio's resource definitions", apply(CRDPart), namespace)
	profile := b.add(AttachRemote, remote.Name, "profile", "Install the remote profile", apply(ProfilePart),
		namespace, primary.Name+"/address")
	token := b.add(AttachRemote, remote.Name, "token", "Wait for the account's token", AwaitToken{}, reader)
	// An istiod that finds a definition which is not served yet tries again a second later, or two.
	served := b.add(AttachRemote, remote.Name, "served", "Wait until Istio's resources are served", AwaitServed{}, crds)
	credentials := ApplyRemoteSecret{Remote: remote.Name, Server: server, TLSServerName: serverName}
	anew := len(held) > 0 && changes(held[0], credentials, seen.ReaderToken)
	secret := b.add(AttachRemote, primary.Name, "remote-secret-"+remote.Name, "Give istiod the credentials for "+remote.Name, credentials,
		append(b.renew(primary, remote, held, anew, token, namespace), token, served, namespace, primary.Name+"/istiod")...)
	synced := b.add(AttachRemote, primary.Name, "synced-"+remote.Name, "Wait until every istiod has read "+remote.Name,
		AwaitSynced{Remote: remote.Name, Restart: !b.options.KeepIstiod}, secret)
	bundle := b.add(AttachRemote, remote.Name, "ca-bundle", "Wait for istiod's certificate in the webhooks",
		AwaitCABundle{}, synced, profile)
	b.add(AttachRemote, remote.Name, "root-cert", "Wait for the mesh's root certificate", AwaitRootCert{Discovery: b.discovery(primary)}, synced)
	b.add(AttachRemote, remote.Name, "injection", "Wait until sidecars are injected", AwaitInjection{Cluster: remote.Name}, bundle)
}

// renew makes istiod forget a remote of which it is to be told anew: where it does not lead, since it decides that once,
// when it is told of the cluster, and where the credentials change, since an istiod that sees them change in a secret may
// permanently stop watching the cluster (istio/istio#59875). Secrets under other names than ours, and a second one of the
// same cluster, go with them. They go only when what replaces them is at hand. It returns what the new secret must wait
// for.
func (b *builder) renew(primary, remote mesh.Cluster, held []snapshot.RemoteSecret, changes bool, needs ...string) []string {
	plane, _ := b.seen(primary.Name).ControlPlane(b.mesh.RevisionLabel())
	stopped := !b.options.KeepIstiod && len(plane.GaveUp()) > 0
	forget := len(held) > 1 || len(held) == 1 && (changes || !b.leads(primary, remote))
	if forget {
		var secrets []SeenSecret
		for _, secret := range held {
			secrets = append(secrets, SeenSecret{secret.Secret, secret.SecretUID})
		}
		needs = []string{b.add(AttachRemote, primary.Name, "drop-secret-"+remote.Name, "Take the credentials for "+remote.Name+" away, for istiod to decide anew",
			DropRemoteSecrets{Remote: remote.Name, Secrets: secrets}, needs...)}
	}
	if stopped {
		restart := b.add(AttachRemote, primary.Name, "restart-for-"+remote.Name, "Restart istiod, which has stopped watching "+strings.Join(plane.GaveUp(), ", "),
			RestartIstiod{}, needs...)
		needs = []string{b.addAlways(AttachRemote, primary.Name, "restarted-for-"+remote.Name, "Wait for istiod", AwaitDeployment{Name: b.revisioned(wellknown.Istiod)}, restart)}
	}
	if forget {
		needs = []string{b.addAlways(AttachRemote, primary.Name, "forgotten-"+remote.Name, "Wait until every istiod has forgotten "+remote.Name,
			AwaitForgotten{Remote: remote.Name, Restart: !b.options.KeepIstiod}, needs...)}
	}
	return needs
}

// leads is true where istiod does what it does in a cluster in which it leads.
func (b *builder) leads(primary, remote mesh.Cluster) bool {
	seen := b.seen(remote.Name)
	if seen.Namespace == nil || controlPlaneClusters(seen, primary.Name) != seen.Namespace.ControlPlaneClusters {
		return false
	}
	roots := b.seen(primary.Name).Roots(b.mesh.RevisionLabel())
	foreign := func(bundle string) bool { return bundle == "" || len(roots) > 0 && !slices.Contains(roots, bundle) }
	for _, injector := range seen.Injectors {
		if injector.Revision == b.mesh.RevisionLabel() && slices.ContainsFunc(injector.CABundles, foreign) {
			return false // where it leads it sets that right at once
		}
	}
	_, unread := seen.CouldNotRead(snapshot.RootCertificate)
	// It writes that wherever it leads and looks.
	return seen.RootCert != "" || unread || !b.discovery(primary).Select(seen.Namespace.Labels)
}

// discovery are the selectors of the mesh's control plane.
func (b *builder) discovery(primary mesh.Cluster) snapshot.DiscoverySelectors {
	plane, _ := b.seen(primary.Name).ControlPlane(b.mesh.RevisionLabel())
	return plane.DiscoverySelectors
}

// changes is true when a remote's credentials are not what its secret has.
func changes(held snapshot.RemoteSecret, wanted ApplyRemoteSecret, token *snapshot.ReaderToken) bool {
	return held.Secret != wellknown.RemoteSecretPrefix+wanted.Remote || held.Error != "" || held.Server != wanted.Server || held.TLSServerName != wanted.TLSServerName ||
		token == nil || held.Token != token.Token || held.CA != token.CA
}

// secretsOf are the remote secrets of a cluster.
func (b *builder) secretsOf(primary, remote string) []snapshot.RemoteSecret {
	var held []snapshot.RemoteSecret
	for _, secret := range b.seen(primary).RemoteSecrets {
		if secret.Cluster == remote {
			held = append(held, secret)
		}
	}
	return held
}

// controlPlaneClusters is the remote's annotation with the primary in it. Others that are there already stay.
func controlPlaneClusters(seen *snapshot.Cluster, primary string) string {
	if seen.Namespace == nil || seen.Namespace.ControlPlaneClusters == "" {
		return primary
	}
	there := seen.Namespace.ControlPlaneClusters
	if there == "*" || slices.Contains(strings.Split(there, ","), primary) {
		return there
	}
	return there + "," + primary
}

// ownsDefaultTag is true when this revision should answer for istio-injection=enabled: the default revision always,
// a named one when no other does (istio's operator/pkg/webhook, detectIfTagWebhookIsNeeded). Beside an injector of
// another revision it keeps off even without such a tag: that one may answer by itself, as Helm's does, and is not
// ours to switch off.
func (b *builder) ownsDefaultTag(cluster string) bool {
	if b.mesh.Revision == "" {
		return true
	}
	alone := true
	for _, injector := range b.seen(cluster).Injectors {
		if injector.Tag == mesh.DefaultRevision {
			return injector.Revision == b.mesh.Revision
		}
		alone = alone && injector.Revision == b.mesh.Revision
	}
	return alone
}

func (b *builder) revisioned(name string) string {
	if b.mesh.Revision == "" {
		return name
	}
	return fmt.Sprintf("%s-%s", name, b.mesh.Revision)
}
