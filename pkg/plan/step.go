// Package plan turns a wanted mesh and a Snapshot into steps. It is pure: no client, no clock, no network. A step is
// data; what carries it out is pkg/execute, and what orders and times them pkg/run.
package plan

import "github.com/kubectl-mesh/kubectl-mesh/pkg/snapshot"

// Stage is the command that a step belongs to. A command runs the slice of the plan that carries its name.
type Stage string

// The stages, in the order in which a mesh is built.
const (
	InstallPrimary Stage = "install-primary"
	// ConvertRemote is what install-primary does in addition to another primary's remote.
	ConvertRemote Stage = "install-primary --convert-remote"
	ExposeIstiod  Stage = "expose-istiod"
	AttachRemote  Stage = "attach-remote"
	// LinkPrimaries is what several primaries need of each other. No command makes such a mesh yet.
	LinkPrimaries Stage = "link"
)

// Step is one thing to do on one cluster.
type Step struct {
	// ID is unique in the plan: CLUSTER/WHAT.
	ID string
	// Cluster is the name of the cluster on which it is done.
	Cluster string
	// Stage is the command that it belongs to.
	Stage Stage
	// Title says what happens, for the person at the terminal, without a full stop.
	Title string
	// May is what else the step may do, where nothing else helps; empty for most.
	May string
	// Needs are the ids of the steps that must be done first.
	Needs []string
	// Action is what to do.
	Action Action
}

// Action is what a step does. Its kinds are the types below. An action carries what the user and the Snapshot decide;
// what only exists once earlier steps are done, such as an address or a token, is read from the clusters when the
// step runs, so that a plan needs no memory of an earlier try.
type Action interface{ isAction() }

// ApplyNamespace makes Istio's namespace with its labels and annotation.
type ApplyNamespace struct{ Network, ControlPlaneClusters string }

// ApplyControlPlane installs istiod.
type ApplyControlPlane struct {
	Cluster, MeshID, Network, Profile string
	DefaultTag                        bool
	// CustomHosts are further names for istiod's certificate, with commas between them.
	CustomHosts string
}

// ApplyCustomHosts adds the gateway's hostnames to the names that an istiod's certificate is for, and does nothing when the
// gateway's address is an IP.
type ApplyCustomHosts struct{ Deployment string }

// ApplyGateway installs the east-west gateway.
type ApplyGateway struct {
	// Revision is that of the istiod which manages the gateway; empty is the default one.
	Revision     string
	Network      string
	SourceRanges []string
	Annotations  map[string]string
	// Address is the user's, if given.
	Address string
	// WebhookPorts are those of named revisions, by revision, at which a hostname's injector is called.
	WebhookPorts map[string]int32
	// Port443 keeps the port at which an earlier release had a hostname's injector called.
	Port443 bool
	// OnlyForHostname makes the step a second pass that adds what a hostname needs, and nothing when the gateway's
	// address is an IP.
	OnlyForHostname bool
}

// ApplyExposure publishes istiod through the gateway.
type ApplyExposure struct {
	// WebhookPort is the revision's own port for webhooks; 0 for none.
	WebhookPort int32
	// OnlyForHostname as in ApplyGateway.
	OnlyForHostname bool
}

// RemotePart is a part of what a remote cluster gets.
type RemotePart string

const (
	// ReaderPart is the account that istiod reads the cluster through, with its rights and its token.
	ReaderPart RemotePart = "reader"
	// CRDPart are Istio's custom resource definitions.
	CRDPart RemotePart = "crds"
	// ProfilePart is everything else: webhooks, and the Service by which istiod is found.
	ProfilePart RemotePart = "profile"
)

// ApplyRemote installs a part of the remote profile.
type ApplyRemote struct {
	Part                     RemotePart
	MeshID, Cluster, Network string
	// Hub and Version are the primary's.
	Hub, Version string
	// Primary is the cluster whose gateway's address is used.
	Primary    string
	DefaultTag bool
	// WebhookPort is where a hostname's injector is called; 0 is the port that all gateways have.
	WebhookPort int32
}

// ApplyReaderToken gives the account by which other control planes read a primary a token.
type ApplyReaderToken struct{}

// DropRemoteSecrets takes secrets with a remote's credentials away, so that istiod forgets the cluster.
type DropRemoteSecrets struct {
	Remote  string
	Secrets []SeenSecret
}

// SeenSecret is a secret as it was seen: one of that name with another UID has been created since.
type SeenSecret struct{ Name, UID string }

// DropRemoteProfile takes away what made a cluster another primary's remote and what installing a control plane would
// leave in place: the annotation, EndpointSlices that lead istiod's Service out of the cluster, and the records of
// attach-remote.
type DropRemoteProfile struct{ Slices []string }

// RestartIstiod lets the primary's istiod begin anew.
type RestartIstiod struct{}

// AwaitForgotten waits until no istiod replica knows the remote.
type AwaitForgotten struct {
	Remote string
	// Restart allows to restart istiod where it has stopped processing remote secrets.
	Restart bool
}

// ApplyRemoteSecret gives the primary the credentials for a remote.
type ApplyRemoteSecret struct{ Remote, Server, TLSServerName string }

// AwaitDeployment waits until a Deployment is rolled out.
type AwaitDeployment struct {
	Name string
	// Discovery are the mesh's selectors, for pods that need what istiod writes into the namespaces that it looks at.
	Discovery snapshot.DiscoverySelectors
}

// AwaitRestarted waits until an istiod whose Deployment was changed is rolled out, and one that runs leads.
type AwaitRestarted struct{ Name string }

// AwaitAddress waits until the east-west gateway has an external address.
type AwaitAddress struct{}

// AwaitToken waits until the reader account's token is there.
type AwaitToken struct{}

// AwaitServed waits until the cluster serves those of Istio's resources that istiod reads there.
type AwaitServed struct{}

// AwaitSynced waits until every istiod replica has read the remote.
type AwaitSynced struct {
	Remote string
	// Restart allows to restart istiod where it has stopped processing remote secrets.
	Restart bool
}

// AwaitCABundle waits until istiod has put its certificate into the cluster's injector webhooks.
type AwaitCABundle struct{}

// AwaitRootCert waits until istiod has written the mesh's root certificate into Istio's namespace.
type AwaitRootCert struct {
	// Discovery are the mesh's selectors: into a namespace that they don't select istiod never writes.
	Discovery snapshot.DiscoverySelectors
}

// AwaitInjection waits until a pod, created in a server-side dry run, gets a sidecar of this cluster.
type AwaitInjection struct{ Cluster string }

func (ApplyNamespace) isAction()    {}
func (ApplyControlPlane) isAction() {}
func (ApplyCustomHosts) isAction()  {}
func (ApplyGateway) isAction()      {}
func (ApplyExposure) isAction()     {}
func (ApplyRemote) isAction()       {}
func (ApplyReaderToken) isAction()  {}
func (ApplyRemoteSecret) isAction() {}
func (DropRemoteSecrets) isAction() {}
func (DropRemoteProfile) isAction() {}
func (RestartIstiod) isAction()     {}
func (AwaitForgotten) isAction()    {}
func (AwaitDeployment) isAction()   {}
func (AwaitRestarted) isAction()    {}
func (AwaitAddress) isAction()      {}
func (AwaitToken) isAction()        {}
func (AwaitServed) isAction()       {}
func (AwaitSynced) isAction()       {}
func (AwaitCABundle) isAction()     {}
func (AwaitRootCert) isAction()     {}
func (AwaitInjection) isAction()    {}

// Writes says whether a step's action changes a cluster.
func (s Step) Writes() bool {
	switch s.Action.(type) {
	case ApplyNamespace, ApplyControlPlane, ApplyCustomHosts, ApplyGateway, ApplyExposure, ApplyRemote, ApplyReaderToken, ApplyRemoteSecret, DropRemoteSecrets, DropRemoteProfile, RestartIstiod:
		return true
	}
	return false
}

// Rehearsal are the steps that write, each by itself: what a dry run does. It waits for nothing, since nothing comes of it.
func Rehearsal(steps []Step) []Step {
	var writing []Step
	for _, s := range steps {
		if s.Writes() {
			s.Needs = nil
			writing = append(writing, s)
		}
	}
	return writing
}

// About is true for a step that concerns a remote: one done on it, or on the primary for it.
func About(s Step, remote string) bool {
	if s.Cluster == remote {
		return true
	}
	switch action := s.Action.(type) {
	case ApplyRemoteSecret:
		return action.Remote == remote
	case AwaitSynced:
		return action.Remote == remote
	case DropRemoteSecrets:
		return action.Remote == remote
	case AwaitForgotten:
		return action.Remote == remote
	}
	return false
}

// Slice returns the steps of the given stages. What they need of other stages is taken to be done.
func Slice(steps []Step, stages ...Stage) []Step {
	kept := map[string]bool{}
	var slice []Step
	for _, s := range steps {
		for _, stage := range stages {
			if s.Stage == stage {
				slice = append(slice, s)
				kept[s.ID] = true
			}
		}
	}
	for i, s := range slice {
		var needs []string
		for _, need := range s.Needs {
			if kept[need] {
				needs = append(needs, need)
			}
		}
		slice[i].Needs = needs
	}
	return slice
}
