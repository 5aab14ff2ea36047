package mesh

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/util/validation"
)

// ClusterRef is a cluster as the user names it on the command line: CONTEXT or NAME=CONTEXT.
type ClusterRef struct {
	// Name is the cluster's name in the mesh.
	Name string
	// Context is the kubeconfig context.
	Context string
	// Named is true when the user chose the name.
	Named bool
}

// ParseClusterRef reads CONTEXT or NAME=CONTEXT. A context that is known under the whole text is taken as it is, so
// that a context with an equals sign in its name can be given.
func ParseClusterRef(arg string, contexts []string) (ClusterRef, error) {
	if name, context, found := strings.Cut(arg, "="); found && !slices.Contains(contexts, arg) {
		if name == "" || context == "" {
			return ClusterRef{}, fmt.Errorf("%q is neither CONTEXT nor NAME=CONTEXT", arg)
		}
		return ClusterRef{Name: name, Context: context, Named: true}, nil
	}
	if arg == "" {
		return ClusterRef{}, fmt.Errorf("a context's name is empty")
	}
	name := ClusterName(arg)
	if name == "" {
		return ClusterRef{}, fmt.Errorf("context %q has nothing that a cluster's name can be made of: give one with NAME=CONTEXT", arg)
	}
	return ClusterRef{Name: name, Context: arg}, nil
}

var notInName = regexp.MustCompile(`[^a-z0-9]+`)

// ClusterName makes a valid cluster name of a context's name: lower case, with a dash for whatever a DNS label may
// not hold. `gke_shop_europe-west1_prod` becomes `gke-shop-europe-west1-prod`. When the name is too long its end is
// kept, since that is where clouds put what tells clusters apart.
func ClusterName(context string) string {
	name := strings.Trim(notInName.ReplaceAllString(strings.ToLower(context), "-"), "-")
	if over := len(name) - validation.DNS1123LabelMaxLength; over > 0 {
		name = strings.TrimLeft(name[over:], "-")
	}
	return name
}

// ValidateClusterName says why a name can't be a cluster's: it must be a DNS label, as Istio's create-remote-secret
// demands (istioctl/pkg/multicluster/remote_secret.go), and not the name of all clusters that were never given one.
func ValidateClusterName(name string) error {
	if name == UnnamedCluster {
		return fmt.Errorf("cluster name %q is the one that Istio gives to every cluster without a name: choose another", name)
	}
	if problems := validation.IsDNS1123Label(name); len(problems) > 0 {
		return fmt.Errorf("cluster name %q is not valid: %s", name, strings.Join(problems, "; "))
	}
	return nil
}

// ValidateNetwork says why a name can't be a network's: it becomes a label's value. Empty is valid: no network.
func ValidateNetwork(network string) error {
	if problems := validation.IsValidLabelValue(network); len(problems) > 0 {
		return fmt.Errorf("network %q is not valid: %s", network, strings.Join(problems, "; "))
	}
	return nil
}

// ValidateMeshID says why a text can't be a mesh's id: proxies carry it in a label's form. Empty is valid: the default.
func ValidateMeshID(id string) error {
	if problems := validation.IsValidLabelValue(id); len(problems) > 0 {
		return fmt.Errorf("mesh id %q is not valid: %s", id, strings.Join(problems, "; "))
	}
	return nil
}

// ValidateNamespace says why a name can't be a namespace's.
func ValidateNamespace(namespace string) error {
	if problems := validation.IsDNS1123Label(namespace); len(problems) > 0 {
		return fmt.Errorf("namespace %q is not valid: %s", namespace, strings.Join(problems, "; "))
	}
	return nil
}

// ValidateRevision says why a name can't be a revision's: it becomes part of a Service's name, istiod-REVISION.
// Empty is valid: the default revision.
func ValidateRevision(revision string) error {
	if revision == "" {
		return nil
	}
	if problems := validation.IsDNS1035Label("istiod-" + revision); len(problems) > 0 {
		return fmt.Errorf("revision %q is not valid: %s", revision, strings.Join(problems, "; "))
	}
	return nil
}
