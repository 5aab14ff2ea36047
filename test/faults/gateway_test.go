package faults

func gatewayFaults() []fault {
	return []fault{
		{
			name: "istiod is not published", tells: []string{"fail not-exposed cluster1"},
			breaks: kubectl(primary, "delete", "virtualservice", "istiod-vs"),
		},
		{
			name: "no gateway pod runs", tells: []string{"fail gateway-ready cluster1"},
			breaks: kubectl(primary, "scale", "deployment", "istio-eastwestgateway", "--replicas=0"),
		},
		{
			name: "no Service istiod", tells: []string{"fail slice-missing cluster2"},
			breaks: kubectl(remote, "delete", "service", "istiod"),
		},
		{
			name: "no EndpointSlice", tells: []string{"fail slice-missing cluster2"},
			breaks: kubectl(remote, "delete", "endpointslice", "istiod"),
		},
	}
}
