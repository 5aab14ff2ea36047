// Package apiserver has API servers for tests that need no cluster.
package apiserver

import (
	"encoding/json"
	"net"
	"net/http"
	"path"
	"sync/atomic"
	"testing"
)

// Answers are what an API server answers, by the request's path. Everything else is not found.
type Answers map[string]any

// Handler answers requests of every verb.
func (a Answers) Handler(tb testing.TB) http.Handler {
	tb.Helper()
	absent := map[string]any{"apiVersion": "v1", "kind": "Status", "status": "Failure", "reason": "NotFound", "code": http.StatusNotFound}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		answer, found := a[r.URL.Path]
		if !found {
			w.WriteHeader(http.StatusNotFound)
			answer = absent
		}
		if err := json.NewEncoder(w).Encode(answer); err != nil {
			tb.Error(err)
		}
	})
}

// Named are the answers that every cluster has: its release of Kubernetes, and its UID.
func Named(uid string) Answers {
	return Answers{
		"/version": map[string]any{"gitVersion": "v1.35.4"},
		"/api/v1/namespaces/kube-system": map[string]any{
			"apiVersion": "v1", "kind": "Namespace", "metadata": map[string]any{"name": "kube-system", "uid": uid},
		},
	}
}

// Bare are the answers of a cluster that allows everything and has nothing.
func Bare(uid string) Answers {
	answers := Named(uid)
	answers["/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"] = map[string]any{
		"apiVersion": "authorization.k8s.io/v1", "kind": "SelfSubjectAccessReview", "status": map[string]any{"allowed": true},
	}
	for resource, kind := range map[string]string{
		"/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations": "MutatingWebhookConfiguration",
		"/api/v1/namespaces/istio-system/services":                            "Service",
		"/apis/discovery.k8s.io/v1/namespaces/istio-system/endpointslices":    "EndpointSlice",
		"/api/v1/namespaces/istio-system/secrets":                             "Secret",
		"/api/v1/namespaces/istio-system/configmaps":                          "ConfigMap",
		"/apis/apps/v1/namespaces/istio-system/deployments":                   "Deployment",
	} {
		answers[resource] = map[string]any{"apiVersion": groupVersion(resource), "kind": kind + "List", "items": []any{}}
	}
	return answers
}

// groupVersion is that of a resource's path.
func groupVersion(resource string) string {
	group := path.Dir(resource)
	for path.Base(group) != "v1" {
		group = path.Dir(group)
	}
	if path.Dir(group) == "/api" {
		return "v1"
	}
	return path.Base(path.Dir(group)) + "/v1"
}

// Silent is an API server that takes connections and never answers; it counts them.
func Silent(tb testing.TB) (address string, calls *atomic.Int32) {
	tb.Helper()
	listener, err := (&net.ListenConfig{}).Listen(tb.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { listener.Close() })
	calls = &atomic.Int32{}
	go func() {
		for {
			connection, err := listener.Accept()
			if err != nil {
				return
			}
			calls.Add(1)
			tb.Cleanup(func() { connection.Close() })
		}
	}()
	return "https://" + listener.Addr().String(), calls
}
