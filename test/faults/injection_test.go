package faults

func injectionFaults() []fault {
	return []fault{
		{
			name: "no injector", tells: []string{"fail revision-mismatch cluster2"},
			breaks: kubectl(remote, "delete", "mutatingwebhookconfiguration", "istio-sidecar-injector", "istio-revision-tag-default"),
		},
	}
}
