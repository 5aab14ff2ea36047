package check

import (
	"fmt"

	"github.com/kubectl-mesh/kubectl-mesh/pkg/snapshot"
)

// messagesAbout are the messages of Istio's analyzers about a kind of object of a cluster.
func messagesAbout(seen *snapshot.Cluster, kind string) []snapshot.AnalysisMessage {
	var messages []snapshot.AnalysisMessage
	for _, m := range seen.Analysis {
		if m.Kind == kind {
			messages = append(messages, m)
		}
	}
	return messages
}

// andMore counts the messages that are not shown.
func andMore(messages []snapshot.AnalysisMessage) string {
	if len(messages) == 1 {
		return ""
	}
	return fmt.Sprintf(" (and %d more like it)", len(messages)-1)
}
