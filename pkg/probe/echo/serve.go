package echo

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"
	"google.golang.org/grpc"
	"google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/metadata"

	"github.com/kubectl-mesh/kubectl-mesh/pkg/handshake"
)

// answerKey is the metadata in which an Answer travels over gRPC.
const answerKey = "mesh-probe-answer"

// peerHeader is where a sidecar says whom it has authenticated (Envoy: x-forwarded-client-cert).
const peerHeader = "X-Forwarded-Client-Cert"

// Serve answers on all of a probe's ports until ctx ends.
func Serve(ctx context.Context, self Answer) error {
	servers, ctx := errgroup.WithContext(ctx)
	serve := func(address string, with func(net.Listener) error) error {
		listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", address)
		if err != nil {
			return err
		}
		context.AfterFunc(ctx, func() { listener.Close() })
		servers.Go(func() error {
			if err := with(listener); err != nil && !errors.Is(err, net.ErrClosed) && !errors.Is(err, http.ErrServerClosed) {
				return fmt.Errorf("serving %s: %w", address, err)
			}
			return nil
		})
		return nil
	}
	health := grpc.NewServer()
	grpc_health_v1.RegisterHealthServer(health, grpcAnswer{self: self})
	err := errors.Join(
		serve(fmt.Sprintf(":%d", PortHTTP), httpServer(answerHTTP(self)).Serve),
		serve(fmt.Sprintf(":%d", PortGRPC), health.Serve),
		serve(fmt.Sprintf(":%d", PortTCP), func(l net.Listener) error { return answerTCP(l, self) }),
		// Only from inside the pod, which is where a port-forward comes from: nobody else can make a probe call.
		serve(fmt.Sprintf("127.0.0.1:%d", PortControl), httpServer(control()).Serve),
	)
	if err != nil {
		return err
	}
	return servers.Wait()
}

func httpServer(handler http.Handler) *http.Server {
	return &http.Server{Handler: handler, ReadHeaderTimeout: 5 * time.Second}
}

func answerHTTP(self Answer) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		writeJSON(w, withPeer(self, r.Header.Get(peerHeader)))
	})
}

type grpcAnswer struct {
	grpc_health_v1.UnimplementedHealthServer
	self Answer
}

// Check says that the probe is well, and in the header what an Answer says.
func (g grpcAnswer) Check(ctx context.Context, _ *grpc_health_v1.HealthCheckRequest) (*grpc_health_v1.HealthCheckResponse, error) {
	peer := strings.Join(metadata.ValueFromIncomingContext(ctx, peerHeader), ",")
	said, err := json.Marshal(withPeer(g.self, peer))
	if err != nil {
		return nil, err
	}
	if err := grpc.SetHeader(ctx, metadata.Pairs(answerKey, string(said))); err != nil {
		return nil, err
	}
	return &grpc_health_v1.HealthCheckResponse{Status: grpc_health_v1.HealthCheckResponse_SERVING}, nil
}

func answerTCP(listener net.Listener, self Answer) error {
	said, err := json.Marshal(self)
	if err != nil {
		return err
	}
	for {
		connection, err := listener.Accept()
		if err != nil {
			return err
		}
		go func() {
			defer connection.Close()
			_ = connection.SetDeadline(time.Now().Add(5 * time.Second))
			_, _ = connection.Write(append(said, '\n'))
		}()
	}
}

// control is how a probe is told what to do, in JSON.
func control() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /"+PathCall, func(w http.ResponseWriter, r *http.Request) {
		serve(w, r, Run)
	})
	mux.HandleFunc("POST /"+PathDial, func(w http.ResponseWriter, r *http.Request) {
		serve(w, r, handshake.MakeAll)
	})
	return mux
}

// serve does what a request asks for.
func serve[Asked, Done any](w http.ResponseWriter, r *http.Request, do func(context.Context, Asked) (Done, error)) {
	var asked Asked
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxAsked)).Decode(&asked); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	done, err := do(r.Context(), asked)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	writeJSON(w, done)
}

func writeJSON(w http.ResponseWriter, value any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(value) // the caller is gone when this fails
}

// withPeer reads the caller's identity from a header such as By=spiffe://…;Hash=…;Subject="";URI=spiffe://….
func withPeer(self Answer, header string) Answer {
	// Each hop appends an element; the last is the one that called this sidecar.
	elements := strings.Split(header, ",")
	for field := range strings.SplitSeq(elements[len(elements)-1], ";") {
		if uri, found := strings.CutPrefix(field, "URI="); found {
			self.Peer = uri
		}
	}
	return self
}
