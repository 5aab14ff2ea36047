package observe_test

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"slices"
	"strings"
	"testing"
	"unicode"

	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/yaml"

	"github.com/kubectl-mesh/kubectl-mesh/pkg/check"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/command"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/istio/wellknown"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/mesh"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/observe"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/plan"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/report"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/snapshot"
)

const secretKubeconfig = `apiVersion: v1
kind: Config
clusters: [{name: west, cluster: {server: "https://west.example:6443", certificate-authority-data: Y2E=}}]
users: [{name: west, user: {token: a-token-that-nobody-may-see}}]
contexts: [{name: west, context: {cluster: west, user: west}}]
current-context: west
`

// FuzzVerify: whatever people and other programs have written into the objects of a mesh, a judgement comes out of it,
// and every form of output can carry it.
func FuzzVerify(f *testing.F) {
	const (
		values   = `{"global":{"meshID":"mesh1","network":"network1","multiCluster":{"clusterName":"east"}}}`
		config   = "trustDomain: cluster.local\ndefaultConfig:\n  meshId: mesh1\n"
		clusterz = `[{"id":"east","syncStatus":"synced"},{"id":"west","secretName":"istio-system/istio-remote-secret-west","syncStatus":"synced"}]`
		syncz    = `[{"cluster_id":"west","proxy":"app.shop","istio_version":"1.29.1","resources":{"CDS":{"lastError":"no"}}}]`
		version  = `{"gitVersion":"v1.35.4"}`
		root     = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n"
		path     = "/inject/cluster/west/net/network1"
	)
	f.Add("west", []byte(secretKubeconfig), []byte(values), []byte(config), []byte(clusterz), []byte(syncz), []byte(version),
		[]byte(root), []byte(root), path, "192.0.2.10", "east", "docker.io/istio/pilot:1.29.1", "true", "10.1.0.0/16")
	f.Add("east", []byte("{"), []byte("["), []byte("a: b: c"), []byte(`[null]`), []byte(`[{"resources":{"":null}}]`), []byte("null"),
		[]byte(nil), []byte("\x00"), "/inject/cluster/", "lb.example", "*", "@:/", "maybe", "::/0")
	f.Add("Kubernetes", []byte("contexts: [null]"), []byte(`{"global":null}`), []byte("defaultConfig: []"), []byte(`{}`), []byte(`null`), []byte(`{"gitVersion":"v1.x"}`),
		[]byte("\xff"), []byte("-----BEGIN CERTIFICATE-----"), "cluster//net", "\x1b[2J\u202e", "east,,west", "pilot", "", "10.1.0.0")
	f.Fuzz(func(t *testing.T, key string, kubeconfig, values, config, clusterz, syncz, version, root, bundle []byte, path, address, owners, image, external, podRange string) {
		objects := func(name string) *observe.Objects {
			meta := metav1.ObjectMeta{Name: name, Namespace: "istio-system", Labels: map[string]string{wellknown.RevisionLabel: "default", wellknown.NetworkLabel: owners}}
			return &observe.Objects{
				Version:   version,
				Namespace: &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "istio-system", Labels: meta.Labels, Annotations: map[string]string{wellknown.ControlPlaneClustersAnnotation: owners}}},
				Webhooks: []admissionregistrationv1.MutatingWebhookConfiguration{{ObjectMeta: meta, Webhooks: []admissionregistrationv1.MutatingWebhook{{
					ClientConfig: admissionregistrationv1.WebhookClientConfig{CABundle: bundle, Service: &admissionregistrationv1.ServiceReference{Path: &path}},
				}}}},
				Service: &corev1.Service{ObjectMeta: metav1.ObjectMeta{Name: "istiod"}, Spec: corev1.ServiceSpec{ExternalName: external}},
				Slices:  []discoveryv1.EndpointSlice{{Endpoints: []discoveryv1.Endpoint{{Addresses: []string{address}}}}},
				Root:    &corev1.ConfigMap{ObjectMeta: meta, Data: map[string]string{"root-cert.pem": string(root)}},
				Values:  []corev1.ConfigMap{{ObjectMeta: metav1.ObjectMeta{Name: "values", Namespace: "istio-system"}, Data: map[string]string{"merged-values": string(values)}}},
				Nodes:   []corev1.Node{{Spec: corev1.NodeSpec{PodCIDRs: []string{podRange}}}},
			}
		}
		east := objects("east")
		east.Istiod = &appsv1.Deployment{ObjectMeta: metav1.ObjectMeta{Name: "istiod", Labels: map[string]string{wellknown.RevisionLabel: "default"}}}
		east.Istiod.Spec.Template.Spec.Containers = []corev1.Container{{Name: "discovery", Image: image, Env: []corev1.EnvVar{
			{Name: wellknown.ClusterIDVariable, Value: owners}, {Name: wellknown.ExternalIstiodVariable, Value: external},
		}}}
		east.Injector = &corev1.ConfigMap{Data: map[string]string{"values": string(values)}}
		east.Mesh = &corev1.ConfigMap{Data: map[string]string{"mesh": string(config)}}
		east.Clusterz, east.Syncz = clusterz, syncz
		east.Gateway = &corev1.Service{ObjectMeta: metav1.ObjectMeta{Name: wellknown.EastWestGateway, Annotations: map[string]string{
			wellknown.AddressAnnotation: address, wellknown.UserAnnotations: address, address: external,
		}}}
		east.Secrets = []corev1.Secret{
			{ObjectMeta: metav1.ObjectMeta{Name: "one"}, Data: map[string][]byte{key: kubeconfig, "west": []byte(secretKubeconfig)}},
			{ObjectMeta: metav1.ObjectMeta{Name: "two"}, Data: map[string][]byte{"west": kubeconfig}},
		}
		judge(t, east, objects("west"))
	})
}

// judge goes the way of a command: from objects to a snapshot, the mesh completed from it, the results and their output.
func judge(t *testing.T, east, west *observe.Objects) {
	t.Helper()
	snapshot := func() *snapshot.Snapshot {
		s := &snapshot.Snapshot{Clusters: map[string]*snapshot.Cluster{
			plan.PrimaryKey: {Context: "ctx-east", Server: "https://east.example:6443", UID: "1", CA: "1"},
			"west":          {Name: "west", Context: "ctx-west", Server: "https://west.example:6443", UID: "2", CA: "2"},
		}}
		east.See(s.Clusters[plan.PrimaryKey])
		west.See(s.Clusters["west"])
		return s
	}
	charts := check.Charts{Release: "1.29.1", OldestKubernetes: 30}
	for _, asker := range []string{"verify", "preflight", check.BeforeInstall, check.BeforeExpose, check.BeforeAttach} {
		s := snapshot()
		m := mesh.Mesh{Namespace: "istio-system", Clusters: []mesh.Cluster{
			{Context: "ctx-east", Role: mesh.Primary}, {Name: "west", Context: "ctx-west", Role: mesh.Remote},
		}}
		for _, secret := range s.Clusters[plan.PrimaryKey].RemoteSecrets {
			if asker == "verify" && secret.Cluster != "west" {
				m.Clusters = append(m.Clusters, mesh.Cluster{Name: secret.Cluster, Role: mesh.Remote})
			}
		}
		m, err := plan.Complete(m, s)
		if err != nil {
			t.Fatalf("one control plane leaves nothing to choose: %v", err)
		}
		primary, _ := m.Primary()
		s = plan.Rename(s, primary.Name)
		results := check.Judge(asker, m, s, charts, command.Caller{})
		mustTell(t, results)
		mustWrite(t, results)
		written, err := json.Marshal(s)
		if err != nil {
			t.Fatal(err)
		}
		if bytes.Contains(written, []byte("nobody-may-see")) && !strings.Contains(string(written), "nobody-may-see:") {
			t.Errorf("a token is in the snapshot: %s", written)
		}
	}
}

// mustTell fails unless each result says something.
func mustTell(t *testing.T, results []check.Result) {
	t.Helper()
	if len(results) == 0 {
		t.Fatal("there is no result")
	}
	for _, r := range results {
		switch r.Status {
		case check.Pass, check.Skip, check.Warn, check.Unknown, check.Fail:
		default:
			t.Errorf("%s has the status %q", r.ID, r.Status)
		}
		if r.ID == "" || r.Docs == "" || r.Title == "" {
			t.Errorf("it is of no check: %+v", r)
		}
		if r.Seen == "" && r.Status != check.Pass {
			t.Errorf("it says nothing: %+v", r)
		}
	}
}

// mustWrite fails unless programs can read the outputs that are for them, and terminals take the others as text.
func mustWrite(t *testing.T, results []check.Result) {
	t.Helper()
	write := func(form func(*bytes.Buffer) error) []byte {
		var text bytes.Buffer
		if err := form(&text); err != nil {
			t.Error(err)
		}
		return text.Bytes()
	}
	var parsed struct{ Results []check.Result }
	text := write(func(w *bytes.Buffer) error { return report.JSON(w, map[string]any{"results": results}) })
	if err := json.Unmarshal(text, &parsed); err != nil || len(parsed.Results) != len(results) {
		t.Errorf("%v, of %s", err, text)
	}
	text = write(func(w *bytes.Buffer) error { return report.YAML(w, map[string]any{"results": results}) })
	if err := yaml.Unmarshal(text, &parsed); err != nil || len(parsed.Results) != len(results) {
		t.Errorf("%v, of %s", err, text)
	}
	text = write(func(w *bytes.Buffer) error { return report.JUnit(w, "x", results, true) })
	if err := xml.Unmarshal(text, &struct {
		XMLName xml.Name `xml:"testsuites"`
	}{}); err != nil {
		t.Errorf("%v, of %s", err, text)
	}
	for _, text := range [][]byte{
		write(func(w *bytes.Buffer) error { return report.Checks(w, report.Style{Width: 80}, results) }),
		write(func(w *bytes.Buffer) error { return report.ChecksWide(w, report.Style{Width: 80}, results) }),
		write(func(w *bytes.Buffer) error { return report.Names(w, results) }),
	} {
		if i := slices.IndexFunc([]rune(string(text)), func(r rune) bool { return r != '\n' && !unicode.IsGraphic(r) }); i >= 0 {
			t.Errorf("a terminal would take %q for a command, in:\n%q", []rune(string(text))[i], text)
		}
	}
}
