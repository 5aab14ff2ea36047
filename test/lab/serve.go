package lab

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"sync"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/miekg/dns"
	"golang.org/x/sync/errgroup"
	"k8s.io/client-go/kubernetes"
)

// server is the process that serves a lab: its images, its names and its load balancers.
type server struct {
	lab    *Lab
	groups cgroups
	log    *log.Logger
	names  *names
	relays *relays

	mutex     sync.Mutex
	balancers map[string]*running
}

// running is a balancer at work.
type running struct {
	*balancer
	number int
	stop   func()
}

// Serve serves the lab until the context ends. It is what the hub runs; Up starts it.
func (l *Lab) Serve(ctx context.Context, output io.Writer) error {
	groups, err := findCgroups()
	if err != nil {
		return err
	}
	s := &server{
		lab: l, groups: groups, names: &names{}, balancers: map[string]*running{},
		log: log.New(output, "", log.LstdFlags|log.Lmicroseconds),
	}
	s.relays = &relays{listen: func(cluster string, at netip.AddrPort) (net.Listener, error) {
		pid, err := l.space(cluster).holder(groups)
		if err != nil {
			return nil, err
		}
		return listenIn(ctx, pid, at)
	}}
	current, err := readState(l.dir())
	if err != nil {
		return err
	}
	address := registryAddress(current.Number)
	registry, err := new(net.ListenConfig).Listen(ctx, "tcp", address)
	if err != nil {
		return err
	}
	if err := os.Remove(l.controlSocket()); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	control, err := new(net.ListenConfig).Listen(ctx, "unix", l.controlSocket())
	if err != nil {
		return err
	}
	tasks, ctx := errgroup.WithContext(ctx)
	at := netip.AddrPortFrom(hubAddress(current.Number), 53).String()
	s.serveDNS(ctx, tasks, &dns.Server{Addr: at, Net: "udp", Handler: s.names})
	s.serveDNS(ctx, tasks, &dns.Server{Addr: at, Net: "tcp", Handler: s.names})
	s.serveHTTP(ctx, tasks, registry, newRegistry(l.images(), s.log))
	err = eachImage(l.images(), func(name string, image v1.Image) error { return putImage(ctx, address, name, image) })
	if err != nil {
		return err
	}
	// Whoever can talk to the control socket finds the registry complete.
	s.serveHTTP(ctx, tasks, control, s.control(ctx))
	return tasks.Wait()
}

func (s *server) serveHTTP(ctx context.Context, tasks *errgroup.Group, at net.Listener, handler http.Handler) {
	server := &http.Server{Handler: handler, ErrorLog: s.log, ReadHeaderTimeout: 10 * time.Second}
	tasks.Go(func() error {
		if err := server.Serve(at); !errors.Is(err, http.ErrServerClosed) {
			return err
		}
		return nil
	})
	context.AfterFunc(ctx, func() { server.Close() })
}

func (*server) serveDNS(ctx context.Context, tasks *errgroup.Group, server *dns.Server) {
	// It can be told to end only once it has begun.
	server.NotifyStartedFunc = func() { context.AfterFunc(ctx, func() { _ = server.Shutdown() }) }
	tasks.Go(server.ListenAndServe)
}

// control answers the lab's other processes.
func (s *server) control(ctx context.Context) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /reload", func(w http.ResponseWriter, r *http.Request) {
		// What is started outlives the request.
		if err := s.reload(ctx, r.URL.Query()["restart"]); err != nil {
			s.log.Print(err)
			http.Error(w, err.Error(), http.StatusInternalServerError)
		}
	})
	return mux
}

// reload reads the lab's state anew, and returns when the load balancers are as it says. Those of the clusters in restart
// start afresh, since their API servers have forgotten everything.
func (s *server) reload(ctx context.Context, restart []string) error {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	current, err := readState(s.lab.dir())
	if err != nil {
		return err
	}
	for _, name := range restart {
		if old := s.balancers[name]; old != nil {
			old.stop()
			delete(s.balancers, name)
		}
	}
	var tasks errgroup.Group
	for _, each := range current.Clusters {
		old := s.balancers[each.Name]
		if old != nil && old.number != each.Number {
			old.stop()
			old = nil
		}
		if old == nil {
			if old, err = s.startBalancer(ctx, s.lab.clusterOf(current, each)); err != nil {
				return err
			}
			s.balancers[each.Name] = old
		}
		tasks.Go(func() error { return old.set(ctx, each.LoadBalancer) })
	}
	return tasks.Wait()
}

func (s *server) startBalancer(ctx context.Context, of cluster) (*running, error) {
	config, err := of.client()
	if err != nil {
		return nil, err
	}
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		return nil, err
	}
	ctx, stop := context.WithCancel(ctx)
	b := &balancer{
		cluster: of, client: client, names: s.names, relays: s.relays, log: s.log,
		changed: make(chan struct{}, 1), mode: of.LoadBalancer,
	}
	go b.run(ctx)
	return &running{balancer: b, number: of.Number, stop: stop}, nil
}

func (l *Lab) controlSocket() string { return filepath.Join(l.dir(), "serve.sock") }

// reload tells the lab's server that the state has changed, and waits until it has followed.
func (l *Lab) reload(ctx context.Context, restart ...string) error {
	client := &http.Client{Transport: &http.Transport{
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, "unix", l.controlSocket())
		},
		DisableKeepAlives: true,
	}}
	query := url.Values{"restart": restart}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://lab/reload?"+query.Encode(), http.NoBody)
	if err != nil {
		return err
	}
	response, err := client.Do(request)
	if err != nil {
		return fmt.Errorf("the lab's server does not answer (lab up starts it again): %w", err)
	}
	defer response.Body.Close()
	said, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != http.StatusOK {
		return fmt.Errorf("the lab's server says: %s", said)
	}
	return nil
}
