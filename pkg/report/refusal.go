package report

import (
	"fmt"
	"strings"

	"github.com/kubectl-mesh/kubectl-mesh/pkg/check"
)

// Refusal says why nothing was written: each check that stands in the way, with what to do about it.
func Refusal(causes []check.Result) string {
	var text strings.Builder
	for _, r := range causes {
		fmt.Fprintf(&text, "%s: %s (%s)\n%s", r.Cluster, r.Seen, r.ID, Fix(r.Fix, "  "))
	}
	return text.String() + "Nothing was written"
}
