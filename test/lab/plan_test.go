package lab

import (
	"fmt"
	"net/netip"
	"testing"
)

func TestAddressPlanNeverOverlaps(t *testing.T) {
	all := netip.MustParsePrefix("10.128.0.0/9")
	ranges := map[string]netip.Prefix{}
	for n := 1; n <= maxNumber; n++ {
		ranges[fmt.Sprint("pods of cluster ", n)] = podRange(n)
		ranges[fmt.Sprint("services of cluster ", n)] = serviceRange(n)
		ranges[fmt.Sprint("load balancers of cluster ", n)] = loadBalancerRange(n)
		if node := nodePodRange(n); !podRange(n).Contains(node.Addr()) || node.Bits() <= podRange(n).Bits() {
			t.Errorf("the node of cluster %d has the pods %s, which are not part of %s", n, node, podRange(n))
		}
	}
	for n := 1; n <= maxNumber; n++ {
		ranges[fmt.Sprint("nodes of lab ", n)] = nodeRange(n)
	}
	for name, one := range ranges {
		if !all.Contains(one.Addr()) || !all.Overlaps(one) {
			t.Errorf("%s: %s is not in %s", name, one, all)
		}
		for other, two := range ranges {
			if name != other && one.Overlaps(two) {
				t.Errorf("%s: %s overlaps %s: %s", name, one, other, two)
			}
		}
	}
}

func TestNodesHaveAddressesOfTheirOwn(t *testing.T) {
	for lab := 1; lab <= maxNumber; lab++ {
		seen := map[netip.Addr]string{machineAddress(lab): "the machine"}
		take := func(who string, address netip.Addr) {
			if other, taken := seen[address]; taken {
				t.Errorf("lab %d: %s and %s have both %s", lab, who, other, address)
			}
			if !nodeRange(lab).Contains(address) {
				t.Errorf("lab %d: %s has %s, which is not in %s", lab, who, address, nodeRange(lab))
			}
			seen[address] = who
		}
		take("the hub", hubAddress(lab))
		for cluster := 1; cluster <= maxNumber; cluster++ {
			take(fmt.Sprint("cluster ", cluster), nodeAddress(lab, cluster))
		}
	}
}

func TestFirstFreeAvoidsWhatTheMachineIsConnectedTo(t *testing.T) {
	for name, test := range map[string]struct {
		taken []string
		want  int
	}{
		"nothing":                  {nil, 1},
		"the first one's pods":     {[]string{"10.129.0.0/16"}, 2},
		"part of its pods":         {[]string{"10.129.7.0/24"}, 2},
		"the first two's services": {[]string{"10.191.0.0/16", "10.192.3.4/32"}, 3},
		"much":                     {[]string{"10.128.0.0/13"}, 8},
		"other networks":           {[]string{"192.168.0.0/16", "10.0.0.0/24"}, 1},
	} {
		t.Run(name, func(t *testing.T) {
			taken := make([]netip.Prefix, 0, len(test.taken))
			for _, each := range test.taken {
				taken = append(taken, netip.MustParsePrefix(each))
			}
			got, err := firstFree(taken, podRange, serviceRange, loadBalancerRange)
			if err != nil || got != test.want {
				t.Errorf("firstFree() = %d, %v; want %d", got, err, test.want)
			}
		})
	}
	if number, err := firstFree([]netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}, podRange); err == nil {
		t.Errorf("with all of 10.0.0.0/8 taken firstFree() = %d", number)
	}
}
