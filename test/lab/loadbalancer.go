package lab

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log"
	"maps"
	"net/netip"
	"slices"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	listers "k8s.io/client-go/listers/core/v1"
	"k8s.io/client-go/tools/cache"
)

// balancer is the load balancer of one cluster: it gives Services of that type an address, and in the way of a name it
// also carries their connections, since kube-proxy answers only for addresses that a Service's status tells.
type balancer struct {
	cluster cluster
	client  kubernetes.Interface
	names   *names
	relays  *relays
	log     *log.Logger
	changed chan struct{}

	mutex    sync.Mutex
	mode     LoadBalancerMode
	services listers.ServiceLister
	given    map[types.NamespacedName]netip.Addr
}

// run gives addresses until the context ends.
func (b *balancer) run(ctx context.Context) {
	factory := informers.NewSharedInformerFactory(b.client, 0)
	informer := factory.Core().V1().Services()
	notice := func(any) {
		select {
		case b.changed <- struct{}{}:
		default:
		}
	}
	_, err := informer.Informer().AddEventHandler(cache.ResourceEventHandlerFuncs{
		AddFunc: notice, UpdateFunc: func(_, of any) { notice(of) }, DeleteFunc: notice,
	})
	if err != nil {
		b.log.Print(err)
		return
	}
	factory.Start(ctx.Done())
	if !cache.WaitForCacheSync(ctx.Done(), informer.Informer().HasSynced) {
		return
	}
	b.mutex.Lock()
	b.services = informer.Lister()
	b.mutex.Unlock()
	for {
		var again <-chan time.Time
		if err := b.sync(ctx); err != nil {
			b.log.Printf("%s: load balancer: %v", b.cluster.Name, err)
			again = time.After(time.Second)
		}
		select {
		case <-ctx.Done():
			if err := b.relays.set(b.cluster.Name, nil); err != nil {
				b.log.Print(err)
			}
			return
		case <-b.changed:
		case <-again:
		}
	}
}

// set changes the way, and returns when every Service knows.
func (b *balancer) set(ctx context.Context, mode LoadBalancerMode) error {
	b.mutex.Lock()
	b.mode = mode
	b.mutex.Unlock()
	var last error
	done := func(ctx context.Context) (bool, error) {
		last = b.sync(ctx)
		return last == nil, nil
	}
	if err := wait.PollUntilContextTimeout(ctx, 50*time.Millisecond, 20*time.Second, true, done); err != nil {
		return fmt.Errorf("%s: load balancer: %w", b.cluster.Name, errors.Join(last, err))
	}
	return nil
}

// sync brings every Service's status to what it should be.
func (b *balancer) sync(ctx context.Context) error {
	b.mutex.Lock()
	defer b.mutex.Unlock()
	if b.services == nil {
		return errors.New("the API server has not listed its services yet")
	}
	services, err := b.services.List(labels.Everything())
	if err != nil {
		return err
	}
	if err := b.give(services); err != nil {
		return err
	}
	var failed []error
	byName := map[string]netip.Addr{}
	var relayed []relay
	for _, service := range services {
		address := b.given[keyFor(service)]
		if address.IsValid() && b.mode != LoadBalancerNone {
			byName[b.hostname(service)] = address
		}
		if address.IsValid() && b.mode == LoadBalancerHostnames {
			byName[b.second(service)] = address
		}
		if address.IsValid() && (b.mode == LoadBalancerHostname || b.mode == LoadBalancerHostnames) {
			relayed = append(relayed, b.relaysFor(service, address)...)
		}
		if err := b.tell(ctx, service, b.ingress(service, address)); err != nil {
			failed = append(failed, err)
		}
	}
	b.names.set(b.cluster.Name, byName)
	return errors.Join(append(failed, b.relays.set(b.cluster.Name, relayed))...)
}

// give keeps what was given to the Services that still want it, and gives an address to those that have none.
func (b *balancer) give(services []*corev1.Service) error {
	wanted := map[types.NamespacedName]netip.Addr{}
	var without []types.NamespacedName
	for _, service := range services {
		if service.Spec.Type != corev1.ServiceTypeLoadBalancer || service.DeletionTimestamp != nil {
			continue
		}
		key := keyFor(service)
		if wanted[key] = b.given[key]; wanted[key].IsValid() {
			continue
		}
		// This may not be the first process to serve the lab.
		for _, ingress := range service.Status.LoadBalancer.Ingress {
			if told, err := netip.ParseAddr(ingress.IP); err == nil && loadBalancerRange(b.cluster.Number).Contains(told) {
				wanted[key] = told
			}
		}
		if !wanted[key].IsValid() {
			without = append(without, key)
		}
	}
	slices.SortFunc(without, func(a, b types.NamespacedName) int { return slices.Compare([]byte(a.String()), []byte(b.String())) })
	taken := slices.Collect(maps.Values(wanted))
	free := 1
	for _, key := range without {
		for ; slices.Contains(taken, host(loadBalancerRange(b.cluster.Number), free)); free++ {
			if free == 254 {
				return errors.New("no addresses are left")
			}
		}
		wanted[key] = host(loadBalancerRange(b.cluster.Number), free)
		free++
	}
	b.given = wanted
	return nil
}

func keyFor(service *corev1.Service) types.NamespacedName {
	return types.NamespacedName{Namespace: service.Namespace, Name: service.Name}
}

func (b *balancer) hostname(service *corev1.Service) string {
	return fmt.Sprintf("%s.%s.%s.%s", service.Name, service.Namespace, b.cluster.Name, zone)
}

// second is another name of the same.
func (b *balancer) second(service *corev1.Service) string { return "second." + b.hostname(service) }

// ingress is what a Service's status should tell.
func (b *balancer) ingress(service *corev1.Service, address netip.Addr) []corev1.LoadBalancerIngress {
	switch {
	case !address.IsValid():
		return nil
	case b.mode == LoadBalancerIP:
		vip := corev1.LoadBalancerIPModeVIP // as the API server defaults it
		return []corev1.LoadBalancerIngress{{IP: address.String(), IPMode: &vip}}
	case b.mode == LoadBalancerHostname:
		return []corev1.LoadBalancerIngress{{Hostname: b.hostname(service)}}
	case b.mode == LoadBalancerHostnames:
		return []corev1.LoadBalancerIngress{{Hostname: b.hostname(service)}, {Hostname: b.second(service)}}
	}
	return nil
}

// tell writes a Service's status, unless it says so already.
func (b *balancer) tell(ctx context.Context, service *corev1.Service, ingress []corev1.LoadBalancerIngress) error {
	if equality.Semantic.DeepEqual(service.Status.LoadBalancer.Ingress, ingress) {
		return nil
	}
	patch, err := json.Marshal(map[string]any{"status": map[string]any{"loadBalancer": map[string]any{"ingress": ingress}}})
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	_, err = b.client.CoreV1().Services(service.Namespace).
		Patch(ctx, service.Name, types.MergePatchType, patch, metav1.PatchOptions{FieldManager: "lab"}, "status")
	if apierrors.IsNotFound(err) {
		return nil // It has just been deleted.
	}
	return err
}

// relaysFor returns the relays that a Service needs.
func (b *balancer) relaysFor(service *corev1.Service, address netip.Addr) []relay {
	var of []relay
	for _, port := range service.Spec.Ports {
		if port.Protocol != corev1.ProtocolTCP || port.NodePort == 0 || b.cluster.Nodeless {
			continue
		}
		of = append(of, relay{
			from: netip.AddrPortFrom(address, uint16(port.Port&0xffff)),
			to:   netip.AddrPortFrom(b.cluster.node(), uint16(port.NodePort&0xffff)),
		})
	}
	return of
}
