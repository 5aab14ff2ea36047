package cluster

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"

	"k8s.io/apimachinery/pkg/util/httpstream"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/portforward"
	"k8s.io/client-go/transport/spdy"

	"istio.io/istio/pkg/kube"
)

// NewPortForwarder makes a port-forward, which upgrades a connection. Unlike Istio's it does not read the pod before: the API
// server itself says where it can't be reached.
func (c *Cluster) NewPortForwarder(pod, namespace, localAddress string, localPort, podPort int) (kube.PortForwarder, error) {
	if localAddress == "" {
		localAddress = "127.0.0.1"
	}
	f := &forward{stop: make(chan struct{}), ready: make(chan struct{}), ended: make(chan error, 1), address: localAddress}
	dialer, err := dialerTo(c.plain.RESTConfig(), c.plain.Kube(), namespace, pod)
	if err != nil {
		return nil, err
	}
	f.forwarder, err = portforward.NewOnAddresses(dialer, []string{localAddress}, []string{fmt.Sprintf("%d:%d", localPort, podPort)},
		f.stop, f.ready, io.Discard, io.Discard)
	if err != nil {
		return nil, err
	}
	return f, nil
}

// dialerTo opens streams to a pod as kubectl does: over WebSocket and, with an API server or a proxy on the way that can't, SPDY.
func dialerTo(config *rest.Config, client kubernetes.Interface, namespace, pod string) (httpstream.Dialer, error) {
	url := client.CoreV1().RESTClient().Post().Resource("pods").Namespace(namespace).Name(pod).SubResource("portforward").URL()
	transport, upgrader, err := spdy.RoundTripperFor(config)
	if err != nil {
		return nil, err
	}
	tunnel, err := portforward.NewSPDYOverWebsocketDialer(url, config)
	if err != nil {
		return nil, err
	}
	plain := spdy.NewDialer(upgrader, &http.Client{Transport: transport}, http.MethodPost, url)
	return portforward.NewFallbackDialer(tunnel, plain, func(err error) bool {
		return httpstream.IsUpgradeFailure(err) || httpstream.IsHTTPSProxyError(err)
	}), nil
}

// forward is a kube.PortForwarder.
type forward struct {
	forwarder *portforward.PortForwarder
	address   string
	port      uint16
	// stop ends it, ready is closed when it is open, ended has why it is no longer.
	stop, ready chan struct{}
	ended       chan error
}

// Start opens it.
func (f *forward) Start() error {
	go func() { f.ended <- f.forwarder.ForwardPorts() }()
	select {
	case err := <-f.ended:
		if err == nil {
			err = errors.New("it was closed")
		}
		return err
	case <-f.ready:
	}
	ports, err := f.forwarder.GetPorts()
	if err != nil {
		return err
	}
	f.port = ports[0].Local
	return nil
}

// Address is where it listens.
func (f *forward) Address() string {
	return net.JoinHostPort(f.address, strconv.Itoa(int(f.port)))
}

// Close ends it.
func (f *forward) Close() { close(f.stop) }

// ErrChan tells when it has ended, and why.
func (f *forward) ErrChan() <-chan error { return f.ended }

// WaitForStop waits until it is closed.
func (f *forward) WaitForStop() { <-f.stop }
