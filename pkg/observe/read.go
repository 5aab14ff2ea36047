package observe

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"sync"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/kubectl-mesh/kubectl-mesh/pkg/cluster"
)

// What an Unreadable can be about. APIServer stands for all of them: the API server itself could not be reached.
const (
	APIServer            = "API server"
	Identity             = "identity"
	KubernetesVersion    = "version"
	CertificateAuthority = "certificate authority"
	IstioNamespace       = "namespace"
	ControlPlanes        = "control planes"
	Injectors            = "injectors"
	Gateways             = "gateways"
	IstiodServices       = "istiod services"
	ExposedIstiods       = "exposed istiods"
	PassthroughPart      = "gateways between networks"
	NetworkGatewaysPart  = "gateways in other namespaces"
	RemoteSecretsPart    = "remote secrets"
	InventoryPart        = "inventory"
	RootCertificate      = "root certificate"
	Nodes                = "nodes"
	Permissions          = "permissions"
	RootCertificates     = "root certificates"
	InjectedNamespaces   = "injected namespaces"
	ReaderTokenPart      = "reader token"
	StraySecretsPart     = "stray secrets"
	InstalledValues      = "installed values"
	AmbientPart          = "ambient"
	UninjectedPods       = "gateway pods"
	InjectionPart        = "injection"
	LoadBalancersPart    = "load balancers"
	PodSecurityPart      = "pod security"
	PoliciesPart         = "authorization policies"
	GatewayPortsPart     = "gateway ports"
)

// Patience is how long an API server may take for its first answer before it counts as unreachable, where the user
// gave no --request-timeout.
const Patience = 10 * time.Second

// lessPatience is that for an API server that is known from a remote secret only: a private one can't be reached from
// here, and one that is gone from nowhere.
const lessPatience = 3 * time.Second

// Options say what to look at.
type Options struct {
	// Namespace is Istio's.
	Namespace string
	// Permissions are asked about for each cluster, by its name, so that a command knows what it may not do before it
	// does anything.
	Permissions map[string][]Permission
	// Deep also looks at what no command needs to know before it writes: every namespace's root certificate, what each
	// istiod replica says, and the like.
	Deep bool
	// Attached looks at what istiod makes of the remotes that it has, and at the tokens that it was given for them; Deep
	// does as well.
	Attached bool
	// Obstacles looks at what may stand in the way of an installation.
	Obstacles bool
	// Identify names the clusters, primaries, of whose remote secrets it is read where they lead, and which Gateways publish
	// services to other networks.
	Identify []string
	// RemoteSecrets are those of clusters, by name, that were read before.
	RemoteSecrets map[string][]RemoteSecret
	// Silent are clusters, by name, that were found not to answer: they are not asked again.
	Silent map[string]error
}

// Read looks at all clusters at once. It returns an error only when ctx is cancelled; what else fails, or is not read before
// its deadline, is unreadable in the Snapshot.
func Read(ctx context.Context, clusters cluster.Set, options Options) (*Snapshot, error) {
	snapshot := &Snapshot{Clusters: map[string]*Cluster{}}
	var readers sync.WaitGroup
	for name, c := range clusters {
		seen := &Cluster{Name: name, Context: c.Context, Server: c.Server, TLSServerName: c.TLSServerName, Proxy: c.Proxy, Secret: c.Secret}
		snapshot.Clusters[name] = seen
		if err := options.Silent[name]; err != nil {
			(&reader{seen: seen}).note(ctx, APIServer, err)
			if c.Secret != "" {
				seen.Use = FailedUse(ctx, err)
			}
			continue
		}
		readers.Go(func() { readCluster(ctx, c, seen, options) })
	}
	readers.Wait()
	if errors.Is(ctx.Err(), context.Canceled) {
		return nil, fmt.Errorf("looking at the clusters: %w", context.Cause(ctx))
	}
	snapshot.identify()
	return snapshot, nil
}

// reader reads one cluster; its parts run at once and share seen.
type reader struct {
	*cluster.Cluster
	options Options
	mu      sync.Mutex
	seen    *Cluster
}

// part reads one part of a cluster and returns what to note of it.
type part struct {
	what string
	read func(context.Context, *reader) (func(*Cluster), error)
}

func (r *reader) parts() []part {
	parts := []part{
		{KubernetesVersion, readVersion},
		{CertificateAuthority, readCA},
		{IstioNamespace, readNamespace},
		{ControlPlanes, readControlPlanes},
		{Injectors, readInjectors},
		{Gateways, readGateways},
		{IstiodServices, readIstiodServices},
		{ExposedIstiods, readExposed},
		{RemoteSecretsPart, readRemoteSecrets},
		{InventoryPart, readInventory},
		{RootCertificate, readRootCert},
		{Nodes, readNodes},
		{Permissions, readPermissions},
	}
	if slices.Contains(r.options.Identify, r.Name) { // istiod takes them from the primary
		parts = append(parts, part{PassthroughPart, readPassthrough})
	}
	if r.options.Obstacles {
		parts = append(parts, part{LoadBalancersPart, readLoadBalancers}, part{PodSecurityPart, readPodSecurity}, part{AmbientPart, readAmbient})
	}
	if r.options.Deep || r.options.Attached || r.options.Obstacles {
		parts = append(parts, part{NetworkGatewaysPart, readNetworkGateways})
	}
	if r.options.Attached && !r.options.Deep {
		parts = append(parts, part{ReaderTokenPart, readReaderToken})
	}
	if !r.options.Deep {
		return parts
	}
	return append(parts,
		part{RootCertificates, readRootCerts},
		part{InjectedNamespaces, readInjected},
		part{ReaderTokenPart, readReaderToken},
		part{StraySecretsPart, readStraySecrets},
		part{InstalledValues, readValues},
		part{AmbientPart, readAmbient},
		part{UninjectedPods, readUninjectedGateways},
	)
}

func readCluster(ctx context.Context, c *cluster.Cluster, seen *Cluster, options Options) {
	r := &reader{Cluster: c, options: options, seen: seen}
	patience := Patience
	if c.Secret != "" {
		patience = lessPatience
	}
	first, cancel := Bounded(ctx, patience)
	defer cancel()
	uid, err := c.UID(first)
	if silent := Silence(first, err); silent != nil || apierrors.IsUnauthorized(err) {
		// One unreachable cluster costs its timeout once: nothing else is tried.
		err = cmp.Or(silent, err)
		r.note(ctx, APIServer, err)
		if c.Secret != "" {
			seen.Use = FailedUse(ctx, err)
		}
		return
	}
	if apierrors.IsForbidden(err) {
		// It answers; who may not see kube-system may still see the rest.
		r.note(ctx, Identity, err)
	} else {
		r.note(ctx, APIServer, err)
	}
	seen.UID = uid
	var readers sync.WaitGroup
	for _, p := range r.parts() {
		readers.Go(func() {
			note, err := p.read(ctx, r)
			r.note(ctx, p.what, err)
			if note != nil {
				r.mu.Lock()
				defer r.mu.Unlock()
				note(seen)
			}
		})
	}
	readers.Wait()
}

// Bounded is ctx with an end after patience. One silent cluster takes at most half of the time that is left, so that a
// command can still look at the others.
func Bounded(ctx context.Context, patience time.Duration) (context.Context, context.CancelFunc) {
	if end, limited := ctx.Deadline(); limited {
		patience = min(patience, time.Until(end)/2)
	}
	return context.WithTimeoutCause(ctx, patience, &silenceError{fmt.Errorf("no answer within %s", patience.Round(10*time.Millisecond))})
}

// Silence says why nobody has answered; nil when somebody has, be it with a refusal. ctx is what the request was bounded by.
func Silence(ctx context.Context, err error) error {
	if err == nil || cluster.Answered(err) {
		return nil
	}
	if ctx.Err() != nil {
		if plugin, hangs := errors.AsType[*cluster.PluginError](err); hangs {
			return fmt.Errorf("%w: the kubeconfig's credential plugin %q has not ended", context.Cause(ctx), plugin.Command)
		}
		return context.Cause(ctx)
	}
	if late, is := errors.AsType[net.Error](err); is && late.Timeout() {
		return &silenceError{err}
	}
	return err
}

// silenceError says that the whole time was spent on waiting; who asks again, waits again.
type silenceError struct{ error }

func (e *silenceError) Unwrap() error { return e.error }

// note notes that a part could not be read: for its own reason, or because ctx has ended.
func (r *reader) note(ctx context.Context, what string, err error) {
	if err == nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.seen.Unreadable = append(r.seen.Unreadable, CouldNot(ctx, what, err))
}

// CouldNot is what to note of a part that could not be read before ctx ended.
func CouldNot(ctx context.Context, what string, err error) Unreadable {
	_, timedOut := errors.AsType[*silenceError](err)
	answered := cluster.Answered(err) || untrusted(err)
	if ctx.Err() != nil && !answered && !errors.Is(err, context.Cause(ctx)) {
		err = context.Cause(ctx)
	}
	return Unreadable{What: what, Reason: cluster.Reason(err), TimedOut: timedOut, Answered: answered}
}

// absent turns "not found" into nothing: an object that is not there has been looked for and is absent.
func absent(err error) error {
	if apierrors.IsNotFound(err) {
		return nil
	}
	return err
}
