package roundtrips

import "testing"

// What waits and leases ask again is not counted, everything else is.
func TestCount(t *testing.T) {
	t.Parallel()
	const (
		pods  = "cluster1 GET /api/v1/namespaces/istio-system/pods?fieldSelector=status.phase%3DRunning&labelSelector=app%3Distiod"
		ask   = "cluster1 GET /api/v1/namespaces/istio-system/pods/istiod-1/portforward"
		write = "cluster1 PATCH /api/v1/namespaces/istio-system/secrets/istio-remote-secret-west?force=false"
		get   = "cluster1 GET /api/v1/namespaces/istio-system"
		lease = "cluster1 GET /apis/coordination.k8s.io/v1/namespaces/istio-system/leases/kubectl-mesh-remote-west"
		back  = "cluster1 DELETE /apis/coordination.k8s.io/v1/namespaces/istio-system/leases/kubectl-mesh-remote-west"
	)
	for name, test := range map[string]struct {
		made  [][]string
		count int
	}{
		"nothing":                     {nil, 0},
		"the same again":              {[][]string{{get}, {get}}, 2},
		"a wait that asks once":       {[][]string{{pods}, {ask}, {write}, {pods}, {ask}}, 5},
		"a wait that asks again":      {[][]string{{write}, {pods}, {ask}, {pods}, {ask}, {pods}, {ask}}, 3},
		"beside something else":       {[][]string{{write}, {pods}, {ask}, {get, pods}}, 4},
		"a lease is renewed":          {[][]string{{write}, {lease}, {get}}, 2},
		"a lease is given back alone": {[][]string{{lease}, {back}}, 1},
	} {
		if got := (&rounds{made: test.made}).count(); got != test.count {
			t.Errorf("%s: counted are %d, not %d", name, got, test.count)
		}
	}
}
