package check

// All are all checks, in the order in which they are asked: causes before what they cause.
func All() []Check {
	always := []string{BeforeInstall, BeforeExpose, BeforeAttach}
	later := []string{BeforeExpose, BeforeAttach}
	attach := []string{BeforeAttach}
	return []Check{
		{ID: "reachable", Title: "every API server answers", Before: always, Verify: true, judge: reachable},
		{ID: "same-cluster", Title: "every context leads to a cluster of its own", Before: always, Verify: true,
			Needs: []string{"reachable"}, judge: sameCluster},
		{ID: "permission", Title: "the user may do what the command does", Before: always, Needs: []string{"reachable"}, judge: permission},
		{ID: "kubernetes-version", Title: "Kubernetes is not too old", Before: always, Verify: true, Needs: []string{"reachable"}, judge: kubernetesVersion},
		{ID: "namespace-terminating", Title: "Istio's namespace is not being deleted", Before: always, Needs: []string{"reachable"}, judge: terminating},

		{ID: "adoptable", Title: "a control plane that is there can be a primary", Before: []string{BeforeInstall},
			Needs: []string{"reachable"}, judge: adoptable},
		{ID: "no-istiod", Title: "the primary has a control plane", Before: later, Verify: true, Needs: []string{"reachable"}, judge: noIstiod},
		{ID: "external-off", Title: "istiod may manage remote clusters", Before: later, Verify: true, Needs: []string{"no-istiod"}, judge: externalOff},
		{ID: "name-default", Title: "the primary has a name of its own", Before: later, Verify: true, Needs: []string{"no-istiod"}, judge: nameDefault},
		{ID: "istiod-ready", Title: "every istiod replica is ready", Verify: true, Needs: []string{"no-istiod"}, judge: istiodReady},
		{ID: "version-skew", Title: "control plane and charts are of one minor release", Before: later, Verify: true,
			Needs: []string{"no-istiod"}, judge: versionSkew},
		{ID: "address-pending", Title: "the east-west gateway has an address", Before: attach, Verify: true, Needs: []string{"no-istiod"}, judge: addressPending},
		{ID: "gateway-ready", Title: "the east-west gateway serves", Verify: true, Needs: []string{"address-pending"}, judge: gatewayReady},
		{ID: "not-exposed", Title: "istiod is published through the gateway", Before: attach, Verify: true, Needs: []string{"no-istiod"}, judge: notExposed},

		{ID: "own-control-plane", Title: "a remote has no control plane of its own", Before: attach, Verify: true,
			Needs: []string{"reachable"}, judge: ownControlPlane},
		{ID: "other-primary", Title: "a remote belongs to no other primary", Before: attach, Needs: []string{"reachable"}, judge: otherPrimary},
		{ID: "secret-localhost", Title: "the primary can reach the remote's API server", Before: attach, Verify: true, judge: secretLocalhost},
		{ID: "secret-malformed", Title: "istiod can read every remote secret", Verify: true, Needs: []string{"reachable"}, judge: secretMalformed},
		{ID: "name-duplicate", Title: "every cluster's name is its own", Before: attach, Verify: true,
			Needs: []string{"reachable", "secret-malformed"}, judge: nameDuplicate},
		{ID: "annotation-missing", Title: "the remote lets the primary lead", Verify: true, Needs: []string{"reachable"}, judge: annotationMissing},
		{ID: "network-label", Title: "Istio's namespace carries its network", Verify: true, Needs: []string{"reachable"}, judge: networkLabel},
		{ID: "revision-mismatch", Title: "the remote's injector is of the primary's revision", Verify: true, Needs: []string{"reachable"}, judge: revisionMismatch},
		{ID: "name-mismatch", Title: "the injector gives pods the cluster's name", Verify: true, Needs: []string{"revision-mismatch"}, judge: nameMismatch},
		{ID: "slice-missing", Title: "the remote finds istiod at the gateway", Verify: true, Needs: []string{"reachable"}, judge: sliceMissing},
		{ID: "not-synced", Title: "every istiod replica has read the remote", Verify: true, Needs: []string{"no-istiod", "secret-malformed"}, judge: notSynced},
		{ID: "cabundle-empty", Title: "the injector's webhooks have istiod's certificate", Verify: true,
			Needs: []string{"revision-mismatch", "annotation-missing", "not-synced"}, judge: cabundleEmpty},
		{ID: "root-cm-missing", Title: "Istio's namespace has the mesh's root certificate", Verify: true,
			Needs: []string{"reachable", "annotation-missing", "not-synced"}, judge: rootMissing},
		{ID: "roots-differ", Title: "all clusters trust one root", Verify: true, Needs: []string{"root-cm-missing"}, judge: rootsDiffer},

		{ID: "probe-ready", Title: "a probe runs in every cluster", Verify: true, Needs: []string{"reachable"}, judge: probeReady},
		{ID: "traffic", Title: "every cluster's pods reach every cluster's, over mutual TLS", Verify: true, Needs: []string{"probe-ready"}, judge: traffic},
		{ID: "spread", Title: "a Service in all clusters is answered by all", Verify: true, Needs: []string{"traffic"}, judge: spread},
	}
}
