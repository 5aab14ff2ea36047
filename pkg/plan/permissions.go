package plan

import "github.com/kubectl-mesh/kubectl-mesh/pkg/snapshot"

// kind is an API resource that a stage writes.
type kind struct{ group, resource string }

func controlPlaneKinds() (inNamespace, clusterWide []kind) {
	return []kind{
			{"", "serviceaccounts"}, {"", "configmaps"}, {"", "services"}, {"apps", "deployments"},
			{"autoscaling", "horizontalpodautoscalers"}, {"policy", "poddisruptionbudgets"},
			{"rbac.authorization.k8s.io", "roles"}, {"rbac.authorization.k8s.io", "rolebindings"},
		}, []kind{
			{"", "namespaces"}, {"apiextensions.k8s.io", "customresourcedefinitions"},
			{"rbac.authorization.k8s.io", "clusterroles"}, {"rbac.authorization.k8s.io", "clusterrolebindings"},
			{"admissionregistration.k8s.io", "mutatingwebhookconfigurations"},
			{"admissionregistration.k8s.io", "validatingwebhookconfigurations"},
		}
}

func gatewayKinds() (inNamespace, clusterWide []kind) {
	return []kind{
		{"", "serviceaccounts"}, {"", "configmaps"}, {"", "services"}, {"apps", "deployments"},
		{"autoscaling", "horizontalpodautoscalers"}, {"rbac.authorization.k8s.io", "roles"},
		{"rbac.authorization.k8s.io", "rolebindings"}, {"networking.istio.io", "gateways"},
		{"networking.istio.io", "virtualservices"},
	}, nil
}

func remoteKinds() (inNamespace, clusterWide []kind) {
	_, clusterWide = controlPlaneKinds()
	return []kind{
		{"", "serviceaccounts"}, {"", "configmaps"}, {"", "services"}, {"", "secrets"},
		{"discovery.k8s.io", "endpointslices"},
	}, clusterWide
}

// Permissions are what a stage needs on the primary and on each remote, beyond reading. Server-side apply of an
// object that may not be there yet asks for create and patch.
func Permissions(stage Stage, namespace string) (primary, remote []snapshot.Permission) {
	var asked []snapshot.Permission
	write := func(kinds func() (inNamespace, clusterWide []kind)) []snapshot.Permission {
		inNamespace, clusterWide := kinds()
		var permissions []snapshot.Permission
		for _, verb := range []string{"create", "patch"} {
			for _, k := range clusterWide {
				p := snapshot.Permission{Verb: verb, Group: k.group, Resource: k.resource}
				if k.resource == "namespaces" {
					p.Name = namespace // Istio's alone
				}
				permissions = append(permissions, p)
			}
			for _, k := range inNamespace {
				permissions = append(permissions, snapshot.Permission{Verb: verb, Group: k.group, Resource: k.resource, Namespace: namespace})
			}
		}
		return permissions
	}
	// The pod of which a dry run tells whether it would get its sidecar.
	dryRun := snapshot.Permission{Verb: "create", Resource: "pods", Namespace: "default"}
	switch stage {
	case InstallPrimary:
		asked = append(write(controlPlaneKinds), dryRun)
	case ConvertRemote: // what attach-remote recorded is found by listing it
		asked = []snapshot.Permission{
			{Verb: "delete", Group: "discovery.k8s.io", Resource: "endpointslices", Namespace: namespace},
			{Verb: "list", Resource: "configmaps", Namespace: namespace},
			{Verb: "delete", Resource: "configmaps", Namespace: namespace},
		}
	case ExposeIstiod:
		asked = append(write(gatewayKinds), dryRun,
			snapshot.Permission{Verb: "patch", Resource: "namespaces", Namespace: namespace, Name: namespace}) // the label of its network, where it lacks that
	case AttachRemote:
		secrets := func() ([]kind, []kind) { return []kind{{"", "secrets"}}, nil }
		portForward := snapshot.Permission{Verb: "create", Resource: "pods/portforward", Namespace: namespace}
		// Credentials go and come again where istiod must decide again whether it leads.
		drop := snapshot.Permission{Verb: "delete", Resource: "secrets", Namespace: namespace}
		onPrimary := append(write(secrets), drop, portForward)
		for _, verb := range []string{"get", "create", "update", "delete"} { // which keeps two runs apart meanwhile
			onPrimary = append(onPrimary, snapshot.Permission{Verb: verb, Group: "coordination.k8s.io", Resource: "leases", Namespace: namespace})
		}
		return onPrimary, append(write(remoteKinds), dryRun)
	}
	return asked, nil
}
