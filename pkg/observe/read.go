// Package observe reads live clusters into a snapshot: from where the command runs, and from istiod itself.
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

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kubectl-mesh/kubectl-mesh/pkg/cluster"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/istio"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/snapshot"
)

// AnswerTimeout is how long an API server may take for its first answer before it counts as unreachable, where the user
// gave no --request-timeout.
const AnswerTimeout = 10 * time.Second

// remoteAnswerTimeout is that for an API server that is known from a remote secret only: a private one can't be reached from
// here, and one that is gone from nowhere.
const remoteAnswerTimeout = 3 * time.Second

// Options say what to look at.
type Options struct {
	// Namespace is Istio's.
	Namespace string
	// Permissions are asked about for each cluster, by its name, so that a command knows what it may not do before it
	// does anything.
	Permissions map[string][]snapshot.Permission
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
	RemoteSecrets map[string][]snapshot.RemoteSecret
	// Silent are clusters, by name, that were found not to answer: they are not asked again.
	Silent map[string]error
	// Answered are clusters, by name, that have answered already, with their UIDs as far as they are known: all that is asked
	// of others once they have answered is asked of these at once.
	Answered map[string]string
}

// Read looks at all clusters at once. It returns an error only when ctx is cancelled; what else fails, or is not read before
// its deadline, is unreadable in the Snapshot.
func Read(ctx context.Context, clusters cluster.Set, options Options) (*snapshot.Snapshot, error) {
	found := &snapshot.Snapshot{Clusters: map[string]*snapshot.Cluster{}}
	var readers sync.WaitGroup
	for name, c := range clusters {
		seen := &snapshot.Cluster{Name: name, Context: c.Context, Server: c.Server, TLSServerName: c.TLSServerName, Proxy: c.Proxy, Secret: c.Secret}
		found.Clusters[name] = seen
		if err := options.Silent[name]; err != nil {
			(&reader{seen: seen}).note(ctx, snapshot.APIServer, err)
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
	identifySecrets(found)
	return found, nil
}

// reader reads one cluster; its parts run at once and share seen.
type reader struct {
	*cluster.Cluster
	options Options
	mu      sync.Mutex
	seen    *snapshot.Cluster

	// What several parts are made of is listed once.
	services   func() ([]corev1.Service, error)
	nodes      func() ([]corev1.Node, error)
	istiodPods func() ([]corev1.Pod, error)
}

func newReader(ctx context.Context, c *cluster.Cluster, seen *snapshot.Cluster, options Options) *reader {
	return &reader{
		Cluster: c, options: options, seen: seen,
		services: sync.OnceValues(func() ([]corev1.Service, error) {
			list, err := c.Kube().CoreV1().Services(options.Namespace).List(ctx, metav1.ListOptions{})
			if err != nil {
				return nil, err
			}
			return list.Items, nil
		}),
		nodes: sync.OnceValues(func() ([]corev1.Node, error) {
			list, err := c.Kube().CoreV1().Nodes().List(ctx, metav1.ListOptions{})
			if err != nil {
				return nil, err
			}
			return list.Items, nil
		}),
		istiodPods: sync.OnceValues(func() ([]corev1.Pod, error) { return istio.IstiodPods(ctx, c, options.Namespace, "") }),
	}
}

// primary is true for a cluster that is known to be one.
func (r *reader) primary() bool { return slices.Contains(r.options.Identify, r.Name) }

// part reads one part of a cluster and returns what to note of it.
type part struct {
	what string
	read func(context.Context, *reader) (func(*snapshot.Cluster), error)
}

func (r *reader) parts() []part {
	parts := []part{
		{snapshot.KubernetesVersion, readVersion},
		{snapshot.CertificateAuthority, readCA},
		{snapshot.IstioNamespace, readNamespace},
		{snapshot.ControlPlanes, readControlPlanes},
		{snapshot.Injectors, readInjectors},
		{snapshot.Gateways, readGateways},
		{snapshot.IstiodServices, readIstiodServices},
		{snapshot.ExposedIstiods, readExposed},
		{snapshot.RemoteSecretsPart, readRemoteSecrets},
		{snapshot.InventoryPart, readInventory},
		{snapshot.RootCertificate, readRootCert},
		{snapshot.Nodes, readNodes},
		{snapshot.Permissions, readPermissions},
	}
	if r.primary() { // istiod takes them from there
		parts = append(parts, part{snapshot.PassthroughPart, readPassthrough})
	}
	if r.options.Obstacles {
		parts = append(parts, part{snapshot.LoadBalancersPart, readLoadBalancers}, part{snapshot.PodSecurityPart, readPodSecurity}, part{snapshot.AmbientPart, readAmbient})
	}
	if r.options.Deep || r.options.Attached || r.options.Obstacles {
		parts = append(parts, part{snapshot.NetworkGatewaysPart, readNetworkGateways})
	}
	if r.options.Attached && !r.options.Deep {
		parts = append(parts, part{snapshot.ReaderTokenPart, readReaderToken})
	}
	if !r.options.Deep {
		return parts
	}
	return append(parts,
		part{snapshot.RootCertificates, readRootCerts},
		part{snapshot.InjectedNamespaces, readInjected},
		part{snapshot.ReaderTokenPart, readReaderToken},
		part{snapshot.StraySecretsPart, readStraySecrets},
		part{snapshot.InstalledValues, readValues},
		part{snapshot.AmbientPart, readAmbient},
		part{snapshot.UninjectedPods, readUninjectedGateways},
	)
}

func readCluster(ctx context.Context, c *cluster.Cluster, seen *snapshot.Cluster, options Options) {
	r := newReader(ctx, c, seen, options)
	var readers sync.WaitGroup
	switch uid, answered := options.Answered[c.Name]; {
	case uid != "":
		seen.UID = uid
	case answered:
		readers.Go(func() { r.identify(ctx, ctx) })
	default:
		timeout := AnswerTimeout
		if r.Secret != "" {
			timeout = remoteAnswerTimeout
		}
		first, cancel := Bounded(ctx, timeout)
		defer cancel()
		if !r.identify(ctx, first) {
			return
		}
	}
	for _, p := range r.parts() {
		readers.Go(func() {
			note, err := p.read(ctx, r)
			r.note(ctx, p.what, err)
			if note != nil {
				r.add(note)
			}
		})
	}
	readers.Wait()
}

// identify reads which cluster it is, within the time that first has. It is false where nothing else is to be asked: a cluster
// that is unreachable costs its timeout once.
func (r *reader) identify(ctx, first context.Context) (answers bool) {
	uid, err := r.UID(first)
	if silent := Silence(first, err); silent != nil || apierrors.IsUnauthorized(err) {
		err = cmp.Or(silent, err)
		r.note(ctx, snapshot.APIServer, err)
		if r.Secret != "" {
			r.add(func(c *snapshot.Cluster) { c.Use = FailedUse(ctx, err) })
		}
		return false
	}
	if apierrors.IsForbidden(err) {
		// It answers; who may not see kube-system may still see the rest.
		r.note(ctx, snapshot.Identity, err)
	} else {
		r.note(ctx, snapshot.APIServer, err)
	}
	r.add(func(c *snapshot.Cluster) { c.UID = uid })
	return true
}

// add notes what was found.
func (r *reader) add(note func(*snapshot.Cluster)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	note(r.seen)
}

// Bounded is ctx with an end after a timeout. One silent cluster takes at most half of the time that is left, so that a
// command can still look at the others.
func Bounded(ctx context.Context, timeout time.Duration) (context.Context, context.CancelFunc) {
	if end, limited := ctx.Deadline(); limited {
		timeout = min(timeout, time.Until(end)/2)
	}
	return context.WithTimeoutCause(ctx, timeout, &silenceError{fmt.Errorf("no answer within %s", timeout.Round(10*time.Millisecond))})
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
	r.add(func(c *snapshot.Cluster) { c.Unreadable = append(c.Unreadable, CouldNot(ctx, what, err)) })
}

// CouldNot is what to note of a part that could not be read before ctx ended.
func CouldNot(ctx context.Context, what string, err error) snapshot.Unreadable {
	_, timedOut := errors.AsType[*silenceError](err)
	answered := cluster.Answered(err) || untrusted(err)
	if ctx.Err() != nil && !answered && !errors.Is(err, context.Cause(ctx)) {
		err = context.Cause(ctx)
	}
	return snapshot.Unreadable{What: what, Reason: cluster.Reason(err), TimedOut: timedOut, Answered: answered}
}

// absent turns "not found" into nothing: an object that is not there has been looked for and is absent.
func absent(err error) error {
	if apierrors.IsNotFound(err) {
		return nil
	}
	return err
}
