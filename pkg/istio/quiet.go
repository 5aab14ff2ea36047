package istio

import "istio.io/istio/pkg/log"

// Quiet ends what Istio's packages log, which would go to stdout among the commands' own output.
func Quiet() {
	for _, scope := range log.Scopes() {
		scope.SetOutputLevel(log.NoneLevel)
	}
}
