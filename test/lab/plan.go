package lab

import (
	"net/netip"
)

// The address plan lies within 10.128.0.0/9. N is a cluster's number and L a lab's; both are unique on the machine, so
// that labs live side by side.
//
//	10.(128+N).0.0/16   pods of cluster N, the node's own being the first /24
//	10.(190+N).0.0/16   services of cluster N
//	10.251.N.0/24       load balancers of cluster N
//	10.252.L.0/24       nodes of lab L: .1 the machine, .2 the hub, .(10+N) the node of cluster N
//
// Nodes, and with them API servers and load balancers, reach one another across a lab. Pods reach the pods of clusters on
// their own network only. The machine reaches everything but services.
//
// maxNumber is the highest number of either.
const maxNumber = 60

func prefix(b1, b2, bits int) netip.Prefix {
	return netip.PrefixFrom(netip.AddrFrom4([4]byte{10, octet(b1), octet(b2), 0}), bits)
}

// octet is a part of an address. The plan has none that does not fit, whatever lab or cluster it is made for.
func octet(n int) byte { return byte(n & 0xff) }

func podRange(cluster int) netip.Prefix     { return prefix(128+cluster, 0, 16) }
func nodePodRange(cluster int) netip.Prefix { return prefix(128+cluster, 0, 24) }
func serviceRange(cluster int) netip.Prefix { return prefix(190+cluster, 0, 16) }
func loadBalancerRange(cluster int) netip.Prefix {
	return prefix(251, cluster, 24)
}
func nodeRange(lab int) netip.Prefix { return prefix(252, lab, 24) }

func machineAddress(lab int) netip.Addr       { return host(nodeRange(lab), 1) }
func hubAddress(lab int) netip.Addr           { return host(nodeRange(lab), 2) }
func nodeAddress(lab, cluster int) netip.Addr { return host(nodeRange(lab), 10+cluster) }
func apiServiceAddress(cluster int) netip.Addr {
	return host(serviceRange(cluster), 1)
}

// host returns the nth address of a range.
func host(in netip.Prefix, n int) netip.Addr {
	address := in.Addr().As4()
	address[3] += octet(n)
	return netip.AddrFrom4(address)
}
