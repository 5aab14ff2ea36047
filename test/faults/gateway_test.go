package faults

func gatewayFaults() []fault {
	return []fault{
		{
			name: "no gateway", reports: []string{"fail address-pending cluster1"},
			breaks: kubectl(primary, "delete", "service", "istio-eastwestgateway"),
		},
		{
			name: "a gateway that asks for no load balancer", reports: []string{"fail address-pending cluster1"},
			breaks: kubectl(primary, "patch", "service", "istio-eastwestgateway", "-p", `{"spec":{"type":"ClusterIP"}}`),
		},
		{
			name: "a load balancer that gives no address", reports: []string{"fail address-pending cluster1"},
			breaks: lab("lb", primary, "none"),
			byHand: "a load balancer is the cloud's or the administrator's to fix, and an address theirs to know",
			fixes:  lab("lb", primary, "ip"),
		},
		{
			name: "no gateway pod runs", reports: []string{"fail gateway-ready cluster1"},
			breaks: kubectl(primary, "scale", "deployment", "istio-eastwestgateway", "--replicas=0"),
			tidies: kubectl(primary, "rollout", "status", "deployment/istio-eastwestgateway"),
		},
		{
			name: "istiod is not published", reports: []string{"fail not-exposed cluster1"},
			breaks: kubectl(primary, "delete", "virtualservice", "istiod-vs"),
		},
		{
			name: "istiod is published by a Gateway that is not there", reports: []string{"fail not-exposed cluster1"},
			breaks: kubectl(primary, "delete", "gateways.networking.istio.io", "istiod-gateway"),
		},
		{
			name: "no Service istiod", reports: []string{"fail slice-missing cluster2"},
			breaks: kubectl(remote, "delete", "service", "istiod"),
		},
		{
			name: "no EndpointSlice", reports: []string{"fail slice-missing cluster2"},
			breaks: kubectl(remote, "delete", "endpointslice", "istiod"),
		},
		{
			name: "an EndpointSlice that leads elsewhere", reports: []string{"fail slice-missing cluster2"},
			breaks: kubectl(remote, "patch", "endpointslice", "istiod", "--type=json", "-p", `[{"op":"replace","path":"/endpoints/0/addresses/0","value":"192.0.2.1"}]`),
		},
		{
			name: "istiod's port is dropped", reports: []string{"fail firewall cluster1"},
			breaks: atGateway(15012, "filter hook prerouting priority raw", "drop"),
			byHand: "a firewall's rules are for who has set them",
			fixes:  open,
		},
		{
			name: "the webhook's port is refused", reports: []string{"fail firewall cluster1"},
			breaks: atGateway(15017, "filter hook prerouting priority raw", "reject with tcp reset"),
			byHand: "a firewall's rules are for who has set them",
			fixes:  open,
		},
	}
}
