package lab

import (
	"context"
	"errors"
	"io"
	"log"
	"net"
	"net/netip"
	"slices"
	"sync"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes/fake"
	listers "k8s.io/client-go/listers/core/v1"
	"k8s.io/client-go/tools/cache"
)

// balancerFixture is a balancer whose cluster is a fake one.
type balancerFixture struct {
	*balancer
	client *fake.Clientset
	index  cache.Indexer
	mutex  sync.Mutex
	listen []string
}

func newBalancer(services ...*corev1.Service) *balancerFixture {
	f := &balancerFixture{client: fake.NewClientset(), index: cache.NewIndexer(cache.MetaNamespaceKeyFunc, cache.Indexers{})}
	f.balancer = &balancer{
		cluster: exampleCluster("/labs/example"), client: f.client, names: &names{}, log: log.New(io.Discard, "", 0),
		mode: LoadBalancerIP, services: listers.NewServiceLister(f.index),
		relays: &relays{listen: func(_ string, at netip.AddrPort) (net.Listener, error) {
			f.mutex.Lock()
			defer f.mutex.Unlock()
			f.listen = append(f.listen, at.String())
			return net.Listen("tcp", "127.0.0.1:0")
		}},
	}
	for _, each := range services {
		_ = f.client.Tracker().Add(each)
		_ = f.index.Add(each)
	}
	return f
}

// synced syncs, has the balancer see what it has written, and returns what each Service says.
func (f *balancerFixture) synced(t *testing.T) map[string]string {
	t.Helper()
	if err := f.sync(t.Context()); err != nil {
		t.Fatal(err)
	}
	list, err := f.client.CoreV1().Services("").List(t.Context(), metav1.ListOptions{})
	if err != nil {
		t.Fatal(err)
	}
	told := map[string]string{}
	for i := range list.Items {
		told[list.Items[i].Name] = ""
		for _, ingress := range list.Items[i].Status.LoadBalancer.Ingress {
			told[list.Items[i].Name] += ingress.IP + ingress.Hostname
		}
		if err := f.index.Update(&list.Items[i]); err != nil {
			t.Fatal(err)
		}
	}
	return told
}

func service(name string, kind corev1.ServiceType) *corev1.Service {
	return &corev1.Service{
		ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: name},
		Spec: corev1.ServiceSpec{
			Type:  kind,
			Ports: []corev1.ServicePort{{Port: 80, NodePort: 30080, Protocol: corev1.ProtocolTCP}},
		},
	}
}

func expect(t *testing.T, when string, got, want map[string]string) {
	t.Helper()
	for name := range want {
		if got[name] != want[name] {
			t.Errorf("%s: %s is told %q; want %q", when, name, got[name], want[name])
		}
	}
}

func TestBalancerGivesWhatItsModeSays(t *testing.T) {
	f := newBalancer(service("a", corev1.ServiceTypeLoadBalancer), service("b", corev1.ServiceTypeLoadBalancer), service("c", corev1.ServiceTypeClusterIP))
	expect(t, "by IP", f.synced(t), map[string]string{"a": "10.251.4.1", "b": "10.251.4.2", "c": ""})
	if len(f.listen) > 0 {
		t.Errorf("kube-proxy answers for addresses, and yet there are relays at %v", f.listen)
	}
	if address, ok := f.names.find("a.default.cluster1.lab.test"); !ok || address.String() != "10.251.4.1" {
		t.Errorf("a's name leads to %v", address)
	}
	if _, ok := f.names.find("c.default.cluster1.lab.test"); ok {
		t.Error("a Service without a load balancer has a name")
	}

	f.mode = LoadBalancerHostname
	expect(t, "by name", f.synced(t), map[string]string{"a": "a.default.cluster1.lab.test", "b": "b.default.cluster1.lab.test", "c": ""})
	slices.Sort(f.listen)
	if want := []string{"10.251.4.1:80", "10.251.4.2:80"}; !slices.Equal(f.listen, want) {
		t.Errorf("the relays are at %v; want %v", f.listen, want)
	}

	f.mode = LoadBalancerHostnames
	expect(t, "by two names", f.synced(t), map[string]string{"a": "a.default.cluster1.lab.testsecond.a.default.cluster1.lab.test", "c": ""})
	if address, ok := f.names.find("second.a.default.cluster1.lab.test"); !ok || address.String() != "10.251.4.1" {
		t.Errorf("a's second name leads to %v", address)
	}

	f.mode = LoadBalancerNone
	expect(t, "without", f.synced(t), map[string]string{"a": "", "b": "", "c": ""})
	if _, ok := f.names.find("a.default.cluster1.lab.test"); ok {
		t.Error("without a load balancer there is still a name")
	}

	f.mode = LoadBalancerIP
	expect(t, "by IP again", f.synced(t), map[string]string{"a": "10.251.4.1", "b": "10.251.4.2", "c": ""})
}

func TestBalancerKeepsAddresses(t *testing.T) {
	told := service("told", corev1.ServiceTypeLoadBalancer)
	told.Status.LoadBalancer.Ingress = []corev1.LoadBalancerIngress{{IP: "10.251.4.1"}}
	elsewhere := service("elsewhere", corev1.ServiceTypeLoadBalancer)
	elsewhere.Status.LoadBalancer.Ingress = []corev1.LoadBalancerIngress{{IP: "192.0.2.1"}}
	f := newBalancer(service("a", corev1.ServiceTypeLoadBalancer), told, elsewhere)
	// An earlier process has told one of them its address; a foreign one counts for nothing.
	expect(t, "at first", f.synced(t), map[string]string{"told": "10.251.4.1", "a": "10.251.4.2", "elsewhere": "10.251.4.3"})

	if err := f.index.Delete(told); err != nil {
		t.Fatal(err)
	}
	added := service("b", corev1.ServiceTypeLoadBalancer)
	if err := errors.Join(f.index.Add(added), f.client.Tracker().Add(added)); err != nil {
		t.Fatal(err)
	}
	if err := f.client.CoreV1().Services("default").Delete(t.Context(), "told", metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	expect(t, "after one has gone", f.synced(t), map[string]string{"a": "10.251.4.2", "elsewhere": "10.251.4.3", "b": "10.251.4.1"})
}

func TestRelayCarriesBothWays(t *testing.T) {
	server, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	go func() {
		for {
			connection, err := server.Accept()
			if err != nil {
				return
			}
			go func() {
				said, _ := io.ReadAll(connection) // until the client has said all
				_, _ = connection.Write(append([]byte("heard "), said...))
				connection.Close()
			}()
		}
	}()
	listeners := make(chan net.Listener, 1)
	r := &relays{listen: func(_ string, _ netip.AddrPort) (net.Listener, error) {
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		listeners <- listener
		return listener, err
	}}
	to := netip.MustParseAddrPort(server.Addr().String())
	wanted := []relay{{from: netip.MustParseAddrPort("10.251.4.1:80"), to: to}}
	if err := r.set("cluster1", wanted); err != nil {
		t.Fatal(err)
	}
	at := (<-listeners).Addr().String()
	if err := r.set("cluster1", wanted); err != nil { // It goes on: another listener would block on the channel.
		t.Fatal(err)
	}
	if got, err := talk(t.Context(), at, "hello"); err != nil || got != "heard hello" {
		t.Errorf("through the relay: %q (%v); want %q", got, err, "heard hello")
	}
	if err := r.set("cluster1", nil); err != nil {
		t.Fatal(err)
	}
	if got, err := talk(t.Context(), at, "hello"); err == nil {
		t.Errorf("through a relay that was ended: %q", got)
	}
}

// talk says something, says that this was all, and returns the answer.
func talk(ctx context.Context, at, what string) (string, error) {
	connection, err := new(net.Dialer).DialContext(ctx, "tcp", at)
	if err != nil {
		return "", err
	}
	defer connection.Close()
	if _, err := io.WriteString(connection, what); err != nil {
		return "", err
	}
	if err := connection.(*net.TCPConn).CloseWrite(); err != nil {
		return "", err
	}
	answer, err := io.ReadAll(connection)
	return string(answer), err
}
