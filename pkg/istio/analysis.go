package istio

import (
	"context"
	"crypto/rand"
	"fmt"
	"maps"
	"slices"
	"strings"

	"google.golang.org/protobuf/proto"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"istio.io/api/mesh/v1alpha1"
	"istio.io/istio/pilot/pkg/serviceregistry/provider"
	"istio.io/istio/pkg/cluster"
	"istio.io/istio/pkg/config"
	"istio.io/istio/pkg/config/analysis"
	"istio.io/istio/pkg/config/analysis/analyzers/multicluster"
	"istio.io/istio/pkg/config/analysis/diag"
	"istio.io/istio/pkg/config/analysis/legacy/source/kube"
	"istio.io/istio/pkg/config/analysis/msg"
	meshconfig "istio.io/istio/pkg/config/mesh"
	"istio.io/istio/pkg/config/resource"
	"istio.io/istio/pkg/config/schema/gvk"
	secrets "istio.io/istio/pkg/kube/multicluster"
)

// The codes of what the multicluster analyzers say.
const (
	InconsistentService = "IST0170"
	UnknownRegistry     = "IST0126"
)

// Finding is what one of Istio's analyzers says of an object, in its own words.
type Finding struct {
	Code, Level     string
	Kind            string
	Namespace, Name string
	// Clusters are those whose objects were compared, sorted.
	Clusters []string
	Text     string
}

// ClusterServices are the Services of one cluster.
type ClusterServices struct {
	Cluster  string
	Services []corev1.Service
}

// AnalyzeServices asks Istio's analyzer which Services are not the same in a cluster as in the first of those before
// it that has them. The analyzer itself compares with a cluster that it takes at random, so that of three its answer
// would change from run to run; of two it does not.
func AnalyzeServices(ctx context.Context, clusters []ClusterServices) map[string][]Finding {
	findings := map[string][]Finding{}
	first := map[resource.FullName]*resource.Instance{}
	for _, c := range clusters {
		var compared []*resource.Instance
		for _, service := range c.Services {
			one := serviceInstance(c.Cluster, &service)
			if other := first[one.Metadata.FullName]; other != nil {
				compared = append(compared, other, one)
			} else {
				first[one.Metadata.FullName] = one
			}
		}
		if compared != nil {
			findings[c.Cluster] = analyze(ctx, &multicluster.ServiceAnalyzer{}, objects{gvk.Service: compared})
		}
	}
	return findings
}

func serviceInstance(in string, service *corev1.Service) *resource.Instance {
	spec := service.Spec.DeepCopy() // the analyzer sorts the ports
	for i := range spec.Ports {
		spec.Ports[i].NodePort = 0 // each cluster chooses its own
	}
	return instance(gvk.Service, in, &service.ObjectMeta, spec)
}

// AnalyzeNetworks asks Istio's analyzer which registries of meshNetworks, as YAML, istiod does not know; those that it
// knows are the clusters of the mesh. The analyzer remembers them in a variable of its package. Names that differ from
// call to call are of no use to a later one; but two calls at once are not safe.
func AnalyzeNetworks(ctx context.Context, configMap *metav1.ObjectMeta, yaml string, clusters []string) ([]Finding, error) {
	networks, err := meshconfig.ParseMeshNetworks(yaml)
	if err != nil {
		return nil, err
	}
	if len(networks.Networks) == 0 {
		return nil, nil
	}
	salt := "/" + rand.Text()
	known := &corev1.Secret{Data: map[string][]byte{}}
	for _, c := range clusters {
		known.Data[c+salt] = nil
	}
	salted := proto.CloneOf(networks)
	for _, network := range salted.Networks {
		for _, endpoint := range network.Endpoints {
			if from := endpoint.GetFromRegistry(); from != "" && !builtIn(from) {
				endpoint.Ne = &v1alpha1.Network_NetworkEndpoints_FromRegistry{FromRegistry: from + salt}
			}
		}
	}
	labelled := &metav1.ObjectMeta{Labels: map[string]string{secrets.MultiClusterSecretLabel: "true"}}
	findings := analyze(ctx, &multicluster.MeshNetworksAnalyzer{}, objects{
		gvk.Secret:       {instance(gvk.Secret, "", labelled, known)},
		gvk.MeshNetworks: {instance(gvk.MeshNetworks, "", configMap, salted)},
	})
	for i := range findings {
		findings[i].Text = strings.ReplaceAll(findings[i].Text, salt, "")
	}
	return findings, nil
}

// builtIn is true for a registry that every istiod knows.
func builtIn(registry string) bool {
	return slices.Contains([]provider.ID{provider.Mock, provider.Kubernetes, provider.External}, provider.ID(registry))
}

// objects are what an analyzer can look at.
type objects map[config.GroupVersionKind][]*resource.Instance

func instance(kind config.GroupVersionKind, in string, meta *metav1.ObjectMeta, spec config.Spec) *resource.Instance {
	name := resource.NewFullName(resource.Namespace(meta.Namespace), resource.LocalName(meta.Name))
	return &resource.Instance{
		Metadata: resource.Metadata{FullName: name, Labels: meta.Labels, Annotations: meta.Annotations},
		Message:  spec,
		Origin:   &kube.Origin{Type: kind, FullName: name, Cluster: cluster.ID(in)},
	}
}

// analyze runs one analyzer over objects that were read already: Istio's own way, with an informer for every kind in
// every cluster, takes seconds.
func analyze(ctx context.Context, analyzer analysis.Analyzer, from objects) []Finding {
	run := &analysisRun{objects: from, canceled: func() bool { return ctx.Err() != nil }}
	analyzer.Analyze(run)
	var findings []Finding
	for _, m := range run.messages {
		findings = append(findings, findingOf(m, from))
	}
	slices.SortFunc(findings, func(a, b Finding) int { return strings.Compare(a.Text, b.Text) })
	return findings
}

func findingOf(m diag.Message, from objects) Finding {
	origin := m.Resource.Origin.(*kube.Origin) // instance makes no other
	f := Finding{
		Code: m.Type.Code(), Level: m.Type.Level().String(), Kind: origin.Type.Kind,
		Namespace: string(origin.FullName.Namespace), Name: string(origin.FullName.Name),
	}
	parameters := slices.Clone(m.Parameters)
	if m.Type == msg.MultiClusterInconsistentService { // it makes lists of sets, in any order
		in := map[string]bool{}
		for _, r := range from[origin.Type] {
			if r.Metadata.FullName == origin.FullName {
				in[r.Origin.ClusterName().String()] = true
			}
		}
		f.Clusters = slices.Sorted(maps.Keys(in))
		reasons := strings.Split(fmt.Sprint(parameters[3]), "; ")
		slices.Sort(reasons)
		parameters[2], parameters[3] = f.Clusters, strings.Join(reasons, "; ")
	}
	f.Text = fmt.Sprintf(m.Type.Template(), parameters...)
	return f
}

// analysisRun is what an analyzer sees.
type analysisRun struct {
	objects  objects
	canceled func() bool
	messages []diag.Message
}

var _ analysis.Context = &analysisRun{}

// Report notes a message.
func (a *analysisRun) Report(_ config.GroupVersionKind, m diag.Message) {
	a.messages = append(a.messages, m)
}

// Find returns an object, or nil.
func (a *analysisRun) Find(kind config.GroupVersionKind, name resource.FullName) *resource.Instance {
	for _, r := range a.objects[kind] {
		if r.Metadata.FullName == name {
			return r
		}
	}
	return nil
}

// Exists says whether there is an object.
func (a *analysisRun) Exists(kind config.GroupVersionKind, name resource.FullName) bool {
	return a.Find(kind, name) != nil
}

// ForEach shows all objects of a kind until it is told to stop.
func (a *analysisRun) ForEach(kind config.GroupVersionKind, show analysis.IteratorFn) {
	for _, r := range a.objects[kind] {
		if !show(r) {
			return
		}
	}
}

// Canceled says whether to stop.
func (a *analysisRun) Canceled() bool { return a.canceled() }

// SetAnalyzer does nothing: each run is of one analyzer.
func (*analysisRun) SetAnalyzer(string) {}
