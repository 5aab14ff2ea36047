package parity

// onPurpose lists all in which our mesh differs from the guide's, and why. Whatever else differs is a defect.
func onPurpose(revision string) []intended {
	suffix := ""
	values := "istio-system/ConfigMap/values"
	tagged := "default"
	if revision != "" {
		suffix = "-" + revision
		values += suffix
		tagged = revision
	}
	list := []intended{
		{
			field: `metadata.labels\["applyset.kubernetes.io/part-of"\]`, guide: absentExactly, ours: `applyset-.*`,
			why: "what we apply is recorded as an ApplySet, so that detach-remote removes exactly that",
		},
		{
			object: "istio-system/ConfigMap/kubectl-mesh-*", field: wholeExactly, guide: absentExactly,
			why: "the objects that stand for the ApplySets",
		},
		{
			field: `metadata.labels\["install.operator.istio.io/owning-resource"\]`, ours: `(primary|remote)` + suffix + `|eastwest|base`,
			why: "our IstioOperators have names: istioctl prunes, with each unnamed one, what any other unnamed one had made",
		},
		{
			cluster: remote, object: "Namespace/istio-system", field: `metadata.labels\["topology.istio.io/network"\]`,
			guide: absentExactly, ours: "network1",
			why: "the guide labels a remote's namespace in its chapters on several networks only; a mesh that gets a second " +
				"network later then needs no change here",
		},
		{
			object: "ValidatingWebhookConfiguration/istiod-default-validator", field: `metadata.labels\["(helm.sh/chart|operator.istio.io/component)"\]`,
			guide: `istiod-1.0.0|Pilot`, ours: `base-1.0.0|Base`,
			why: "this webhook comes out of the base chart, where istioctl takes it from istiod's",
		},
		{
			object: values, field: `data.(merged|original)-values.(defaultRevision|revisionTags\[0\])`, ours: "default|" + tagged,
			why: "we let the charts make the tag; istioctl makes it apart from them, so that they do not know of it. " +
				"The ConfigMap is a record only",
		},
	}
	if revision != "" {
		list = append(list, intended{
			field: `metadata.labels\["istio.io/rev"\]`, guide: revision, ours: "default",
			why: "what all revisions in a cluster share (CRDs, the reader account) carries the label of none, so that " +
				"installing one revision does not write again what another has written",
		})
	}
	if revision == "" {
		list = append(list, intended{
			object: "istio-system/Service/istiod-revision-tag-default", field: `spec.selector(.istio|\["istio.io/rev"\])`,
			guide: absentExactly + "|default", ours: absentExactly + "|pilot",
			why: "both select the default revision's pods: they are labelled istio.io/rev=default and istio=pilot",
		})
	}
	return list
}

// Regular expressions for a missing field and for a missing object.
const absentExactly, wholeExactly = `\(absent\)`, `\(object\)`
