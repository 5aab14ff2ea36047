package istio

import (
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"

	"istio.io/istio/istioctl/pkg/install/k8sversion"
	"istio.io/istio/operator/pkg/manifest"
	"istio.io/istio/operator/pkg/render"
	"istio.io/istio/operator/pkg/values"

	"github.com/kubectl-mesh/kubectl-mesh/pkg/internal/temporary"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/istio/wellknown"
)

// The Istio release whose charts are built in, and where its images come from. Istio's own package version would call both
// unknown: they are stamped into it by the build of Istio's programs, and the version of its Go module does not tell. So
// they are named here, once, whichever way our program is built.
const (
	builtInRelease = "1.29.1"
	defaultHub     = "docker.io/istio"
)

// OldestKubernetes is the lowest minor version of Kubernetes 1.x that the built-in release runs on.
const OldestKubernetes = k8sversion.MinK8SVersion

// Charts renders Istio's charts. The zero value renders those that are built in.
type Charts struct {
	// Dir is a folder with another release's manifests (charts/ and profiles/); empty means the built-in ones.
	Dir string
	// Hub and Tag name the images; empty means the release's own.
	Hub, Tag string
	// Profile is the user's choice of Istio's profile for a primary; empty means that of Primary.
	Profile string
	// Overlay is what the overlays of an earlier run come to, as recorded: in IstioOperator form, below Files.
	Overlay string
	// Files are the user's overlays in IstioOperator form, later ones winning.
	Files []string
	// Set are the user's PATH=VALUE settings, relative to spec, winning over Files.
	Set []string
	// over is laid over all, as Set is.
	over values.Map
}

// Validate says whether the user's overlays and settings can be read and name nothing that Istio does not know, so that
// nothing is written before that is certain.
func (c Charts) Validate() error {
	if c.Dir != "" {
		if _, err := os.Stat(filepath.Join(c.Dir, "charts")); err != nil {
			return fmt.Errorf("--manifests %s has no folder charts: give the manifests folder of an Istio release", c.Dir)
		}
	}
	user, err := c.merged(nil)
	if err != nil {
		return err
	}
	if err := c.validateImages(user); err != nil {
		return err
	}
	if err := validateMeshConfig(user); err != nil {
		return err
	}
	if len(c.Files) == 0 && len(c.Set) == 0 && c.Overlay == "" {
		return nil
	}
	if _, err := c.render(overlay{name: "validate", namespace: "default", profile: "empty"}); err != nil {
		return fmt.Errorf("the settings of -f and --set: %w", err)
	}
	return nil
}

// Release is the Istio release of the charts: the built-in one, or what the profiles in Dir call themselves.
func (c Charts) Release() string {
	if c.Dir == "" {
		return builtInRelease
	}
	text, err := os.ReadFile(filepath.Join(c.Dir, "profiles", "default.yaml"))
	if err != nil {
		return builtInRelease
	}
	var profile struct {
		Spec struct {
			Tag any `json:"tag"`
		} `json:"spec"`
	}
	if yaml.Unmarshal(text, &profile) != nil || profile.Spec.Tag == nil {
		return builtInRelease
	}
	return fmt.Sprint(profile.Spec.Tag)
}

// tag is that of the images: the user's, else the release's own.
func (c Charts) tag() string {
	return cmp.Or(c.Tag, c.Release())
}

// overlay is an IstioOperator that kubectl-mesh writes itself.
type overlay struct {
	// name is recorded on every object as its owner. It is never empty: istioctl prunes, with every unnamed
	// IstioOperator, what any other unnamed one had made.
	name      string
	namespace string
	revision  string
	profile   string
	spec      map[string]any
}

// UserSettings are the identities that the user's own overlays and settings give, where they give them.
type UserSettings struct {
	MeshID, Cluster, Network, Revision, Profile string
}

// UserSettings reads which identities the overlays and settings already name, so that flags need not repeat them.
func (c Charts) UserSettings() (UserSettings, error) {
	merged, err := c.merged(nil)
	if err != nil {
		return UserSettings{}, err
	}
	return UserSettings{
		MeshID:   merged.GetPathString("spec.values.global.meshID"),
		Cluster:  merged.GetPathString("spec.values.global.multiCluster.clusterName"),
		Network:  merged.GetPathString("spec.values.global.network"),
		Revision: cmp.Or(merged.GetPathString("spec.values.revision"), merged.GetPathString("spec.revision")),
		Profile:  merged.GetPathString("spec.profile"),
	}, nil
}

// render merges the user's files, then ours, then the user's settings, renders every chart and gives the objects the
// labels that Istio's installer gives them (operator/pkg/install), so that istioctl recognises them. The objects come
// in a stable order.
func (c Charts) render(o overlay) ([]*unstructured.Unstructured, error) {
	input, err := c.merged(c.operator(o))
	if err != nil {
		return nil, err
	}
	folder, err := os.MkdirTemp("", "kubectl-mesh-")
	if err != nil {
		return nil, fmt.Errorf("making a folder for the IstioOperator: %w", temporary.Explain(err))
	}
	defer os.RemoveAll(folder)
	operator, err := yaml.Marshal(input)
	if err != nil {
		return nil, fmt.Errorf("writing the IstioOperator: %w", err)
	}
	file := filepath.Join(folder, o.name+".yaml")
	if err := os.WriteFile(file, operator, 0o600); err != nil {
		return nil, fmt.Errorf("writing the IstioOperator: %w", temporary.Explain(err))
	}
	var merged values.Map
	sets, err := guarded(func() (sets []manifest.ManifestSet, err error) {
		sets, merged, err = render.GenerateManifest([]string{file}, nil, false, nil, nil)
		return sets, err
	})
	if err != nil {
		return nil, fmt.Errorf("rendering Istio's charts: %w", err)
	}
	slices.SortFunc(sets, func(a, b manifest.ManifestSet) int { return cmp.Compare(a.Component, b.Component) })
	var objects []*unstructured.Unstructured
	for _, set := range sets {
		for _, m := range set.Manifests {
			addOwnerLabels(m.Unstructured, merged, string(set.Component))
			objects = append(objects, m.Unstructured)
		}
	}
	return objects, nil
}

// operator is the IstioOperator of an overlay.
func (c Charts) operator(o overlay) values.Map {
	spec := map[string]any{
		"hub": cmp.Or(c.Hub, defaultHub),
		"tag": c.tag(),
	}
	if o.profile != "" {
		spec["profile"] = o.profile
	}
	if c.Dir != "" {
		spec["installPackagePath"] = c.Dir
	}
	if o.revision != "" {
		spec["revision"] = o.revision
	}
	merged := values.Map(spec)
	merged.MergeFrom(values.Map(o.spec))
	merged.MergeFrom(values.Map{"values": map[string]any{"global": map[string]any{"istioNamespace": o.namespace}}})
	return values.Map{
		"apiVersion": "install.istio.io/v1alpha1",
		"kind":       "IstioOperator",
		"metadata":   map[string]any{"name": o.name, "namespace": o.namespace},
		"spec":       map[string]any(merged),
	}
}

func addOwnerLabels(object *unstructured.Unstructured, merged values.Map, component string) {
	labels := object.GetLabels()
	if labels == nil {
		labels = map[string]string{}
	}
	labels[operatorManagedLabel] = "Reconcile"
	labels[operatorVersionLabel] = builtInRelease
	labels[operatorComponentLabel] = component
	labels[owningResourceLabel] = merged.GetPathString("metadata.name")
	labels[owningResourceNSLabel] = merged.GetPathString("metadata.namespace")
	revision := cmp.Or(merged.GetPathString("spec.values.revision"), "default")
	object.SetLabels(labels)
	if Shared(object) {
		// They are every revision's: labelled after one, the next installation of another would write them again.
		labels[owningResourceLabel] = "base"
		revision = cmp.Or(labels[wellknown.RevisionLabel], "default")
	}
	labels[wellknown.RevisionLabel] = revision
	object.SetLabels(labels)
}

// Shared is true for an object that all revisions in a cluster have in common.
func Shared(object *unstructured.Unstructured) bool {
	switch {
	case object.GetKind() == "Gateway" && object.GetName() == wellknown.ExposeGateway,
		object.GetKind() == "Secret" && object.GetName() == wellknown.ReaderTokenSecret:
		return true
	}
	// The default validator comes with the base too, but is that of the revision which is the default.
	return object.GetLabels()[operatorComponentLabel] == baseComponent && object.GetKind() != "ValidatingWebhookConfiguration"
}
