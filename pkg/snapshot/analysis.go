package snapshot

// AnalysisMessage is what one of Istio's own analyzers says of an object.
type AnalysisMessage struct {
	// Code is Istio's, such as IST0170; empty where istiod can't read what the analyzer would.
	Code string `json:"code,omitempty"`
	// Level is Istio's word for how bad it is.
	Level string `json:"level"`
	// Kind, Namespace and Name are the object's.
	Kind      string `json:"kind"`
	Namespace string `json:"namespace"`
	Name      string `json:"name"`
	// Clusters are those whose objects were compared.
	Clusters []string `json:"clusters,omitempty"`
	// Text is the analyzer's.
	Text string `json:"text"`
}
