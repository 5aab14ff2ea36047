package check

import (
	"cmp"
)

// All are all checks, in the order in which they are asked: causes before what they cause.
func All() []Check {
	checks := []Check{
		reachableCheck(),
		sameClusterCheck(),
		permissionCheck(),
		kubernetesVersionCheck(),
		terminatingCheck(),
		primaryIsRemoteCheck(),
		adoptableCheck(),
		noIstiodCheck(),
		externalOffCheck(),
		nameDefaultCheck(),
		istiodReadyCheck(),
		versionSkewCheck(),
		addressPendingCheck(),
		addressIPv6Check(),
		addressHostnameCheck(),
		gatewayReadyCheck(),
		notExposedCheck(),
		gatewayPolicyCheck(),
		ownControlPlaneCheck(),
		otherPrimaryCheck(),
		secretMissingCheck(),
		secretLocalhostCheck(),
		secretProxyCheck(),
		secretMalformedCheck(),
		nameDuplicateCheck(),
		annotationMissingCheck(),
		networkLabelCheck(),
		networkUnconnectedCheck(),
		revisionMismatchCheck(),
		nameMismatchCheck(),
		addressEmptyCheck(),
		sliceMissingCheck(),
		webhookAddressCheck(),
		tokenMissingCheck(),
		secretStaleCheck(),
		secretUnreachableCheck(),
		secretCACheck(),
		tokenExpiredCheck(),
		readerRBACCheck(),
		syncPartialCheck(),
		notSyncedCheck(),
		annotationLateCheck(),
		cabundleEmptyCheck(),
		rootMissingCheck(),
		rootsDifferCheck(),
		secretNamespaceCheck(),
		meshIDCheck(),
		networkOverlapCheck(),
		firewallCheck(),
		gatewayTrustCheck(),
		injectionCheck(),
		injectionNotReadyCheck(),
		proxiesCheck(),
		unknownClusterCheck(),
		serviceAsymmetricCheck(),
		serviceInconsistentCheck(),
		registryUnknownCheck(),
		leftoverCheck(),
		mixedAmbientCheck(),
		loadBalancerCheck(),
		podSecurityCheck(),
		clockSkewCheck(),
		probeReadyCheck(),
		trafficCheck(),
		spreadCheck(),
		trustDomainCheck(),
	}
	for i := range checks {
		c := &checks[i]
		c.Why, c.Fix, c.Docs = oneLine(c.Why), oneLine(c.Fix), Docs+"#"+c.ID
		c.Severity = cmp.Or(c.Severity, Fail)
	}
	return checks
}
