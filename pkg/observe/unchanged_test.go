package observe

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/cli-runtime/pkg/genericclioptions"
	"k8s.io/client-go/tools/clientcmd/api"

	"github.com/kubectl-mesh/kubectl-mesh/pkg/cluster"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/snapshot"
	"github.com/kubectl-mesh/kubectl-mesh/test/kubeconfig"
)

// What is found later makes another snapshot; the one that is there stays as it was. Not parallel: as the analyzer of networks
// itself.
func TestSnapshotIsNotChanged(t *testing.T) {
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusForbidden) // of which live calls tell
		_, _ = w.Write([]byte(`{"kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": "Forbidden", "code": 403}`))
	}))
	t.Cleanup(server.Close)
	flags := genericclioptions.NewConfigFlags(false)
	*flags.KubeConfig = kubeconfig.Write(t, map[string]*api.Cluster{"east": kubeconfig.Of(server)}, nil)
	east, err := cluster.Connect(flags, "east", "east", true)
	if err != nil {
		t.Fatal(err)
	}
	clusters := cluster.Set{"east": east}
	services := func(port int32) []corev1.Service {
		return []corev1.Service{{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "cart"}, Spec: corev1.ServiceSpec{Ports: []corev1.ServicePort{{Port: port}}}}}
	}
	s := &snapshot.Snapshot{Clusters: map[string]*snapshot.Cluster{
		"east": {
			Name: "east", Server: server.URL, ServiceObjects: services(80), Injectors: []snapshot.Injector{{Name: "injector"}},
			RemoteSecrets: []snapshot.RemoteSecret{{Cluster: "west", Secret: "istio-remote-secret-west"}},
		},
		"west": {Name: "west", ServiceObjects: services(81)},
	}}
	before := written(t, s)
	for name, find := range map[string]func() *snapshot.Snapshot{
		"Analyze": func() *snapshot.Snapshot {
			return Analyze(t.Context(), s, Analysis{Clusters: []string{"east", "west"}, Namespace: "istio-system", Revision: "default"})
		},
		"Clocks": func() *snapshot.Snapshot { return Clocks(t.Context(), clusters, s) },
		"Live": func() *snapshot.Snapshot {
			return Live(t.Context(), clusters, s, Target{Primary: "east", Namespace: "istio-system"})
		},
	} {
		if written(t, find()) == before {
			t.Errorf("%s finds nothing", name)
		}
		if after := written(t, s); after != before {
			t.Errorf("%s changes the snapshot from\n%s\nto\n%s", name, before, after)
		}
	}
}

func written(t *testing.T, s *snapshot.Snapshot) string {
	t.Helper()
	raw, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}
