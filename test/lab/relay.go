package lab

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"sync"
	"time"
)

// relay carries TCP connections from a load balancer's address to a node's port.
type relay struct {
	from, to netip.AddrPort
}

// relays are the relays that run.
type relays struct {
	// listen listens in a cluster's space, where load balancers have their addresses.
	listen func(cluster string, at netip.AddrPort) (net.Listener, error)

	mutex   sync.Mutex
	running map[string]map[relay]net.Listener
}

// set starts the relays of a cluster that do not run, and stops those that are not asked for.
func (r *relays) set(cluster string, wanted []relay) error {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	if r.running == nil {
		r.running = map[string]map[relay]net.Listener{}
	}
	kept := map[relay]net.Listener{}
	for _, each := range wanted {
		if listener, ok := r.running[cluster][each]; ok {
			kept[each] = listener
		}
	}
	for each, listener := range r.running[cluster] {
		if kept[each] == nil {
			listener.Close()
		}
	}
	var failed []error
	for _, each := range wanted {
		if kept[each] != nil {
			continue
		}
		listener, err := r.listen(cluster, each.from)
		if err != nil {
			failed = append(failed, fmt.Errorf("listen at %s: %w", each.from, err))
			continue
		}
		kept[each] = listener
		go each.accept(listener)
	}
	r.running[cluster] = kept
	return errors.Join(failed...)
}

func (r relay) accept(at net.Listener) {
	for {
		connection, err := at.Accept()
		if err != nil {
			return // It was closed.
		}
		go r.carry(connection)
	}
}

func (r relay) carry(client net.Conn) {
	defer client.Close()
	dialer := net.Dialer{Timeout: 5 * time.Second}
	server, err := dialer.Dial("tcp", r.to.String())
	if err != nil {
		return // The client sees its connection close, as with any load balancer whose backend is down.
	}
	defer server.Close()
	var both sync.WaitGroup
	both.Go(func() { forward(server, client) })
	both.Go(func() { forward(client, server) })
	both.Wait()
}

// forward copies until one side has said all, and tells the other side so.
func forward(to, from net.Conn) {
	_, _ = io.Copy(to, from)
	if tcp, ok := to.(*net.TCPConn); ok {
		_ = tcp.CloseWrite()
	}
}

// listenIn listens in the network namespace of a process.
func listenIn(ctx context.Context, pid int, at netip.AddrPort) (net.Listener, error) {
	var listener net.Listener
	err := inThread(func() error {
		if err := enterNetwork(pid)(); err != nil {
			return err
		}
		var err error
		listener, err = new(net.ListenConfig).Listen(ctx, "tcp", at.String())
		return err
	})
	return listener, err
}
