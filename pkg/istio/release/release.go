// Package release says what Istio's releases differ in, by what a release can do. It links nothing of Istio's, so that plans
// and checks can ask it; a release that is not known can do what the oldest one can.
package release

import "k8s.io/apimachinery/pkg/util/version"

// Release is one of Istio's releases. The zero Release is one that is not known.
type Release struct{ version *version.Version }

// Of is the release of an image's tag, such as 1.30.4 or 1.31.0-distroless. Tags of development builds, such as 1.31-alpha.HASH,
// have no patch release: nobody knows what is in them.
func Of(tag string) Release {
	v, err := version.ParseGeneric(tag)
	if err != nil || len(v.Components()) < 3 {
		return Release{}
	}
	return Release{v}
}

// TakesOverCredentials is true for a release whose istiod takes up changed credentials of a remote secret in place, without a
// gap. Istio 1.29 may stop watching the cluster for good (istio/istio#59875); 1.30.0 to 1.30.3 do it with faults that
// lose endpoints (#60612, #60920, #61043).
func (r Release) TakesOverCredentials() bool { return r.atLeast("1.30.4") }

func (r Release) atLeast(oldest string) bool {
	return r.version != nil && r.version.AtLeast(version.MustParseGeneric(oldest))
}
