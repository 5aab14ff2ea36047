package lab

import (
	"net/netip"
	"testing"

	"github.com/miekg/dns"
)

// answers records what a DNS server answers.
type answers struct {
	dns.ResponseWriter
	message *dns.Msg
}

func (a *answers) WriteMsg(message *dns.Msg) error {
	a.message = message
	return nil
}

func TestNames(t *testing.T) {
	n := &names{}
	n.set("cluster1", map[string]netip.Addr{
		"old.default.cluster1.lab.test": netip.MustParseAddr("10.251.1.9"),
	})
	n.set("cluster1", map[string]netip.Addr{
		"gateway.istio-system.cluster1.lab.test": netip.MustParseAddr("10.251.1.1"),
	})
	n.set("cluster2", map[string]netip.Addr{
		"gateway.istio-system.cluster2.lab.test": netip.MustParseAddr("10.251.2.1"),
	})
	for name, test := range map[string]struct {
		name  string
		kind  uint16
		code  int
		wants string
	}{
		"known":             {"gateway.istio-system.cluster1.lab.test.", dns.TypeA, dns.RcodeSuccess, "10.251.1.1"},
		"another cluster's": {"gateway.istio-system.cluster2.lab.test.", dns.TypeA, dns.RcodeSuccess, "10.251.2.1"},
		"in capitals":       {"Gateway.istio-system.cluster1.LAB.test.", dns.TypeA, dns.RcodeSuccess, "10.251.1.1"},
		"unknown":           {"nothing.lab.test.", dns.TypeA, dns.RcodeNameError, ""},
		"no longer":         {"old.default.cluster1.lab.test.", dns.TypeA, dns.RcodeNameError, ""},
		// A name that exists has no IPv6 address; that it did not exist would make resolvers give up.
		"by IPv6": {"gateway.istio-system.cluster1.lab.test.", dns.TypeAAAA, dns.RcodeSuccess, ""},
	} {
		t.Run(name, func(t *testing.T) {
			asked := &answers{}
			n.ServeDNS(asked, new(dns.Msg).SetQuestion(test.name, test.kind))
			got := ""
			for _, each := range asked.message.Answer {
				if a, ok := each.(*dns.A); ok && a.Hdr.Name == test.name {
					got += a.A.String()
				}
			}
			if asked.message.Rcode != test.code || got != test.wants {
				t.Errorf("answered %s %q; want %s %q", dns.RcodeToString[asked.message.Rcode], got, dns.RcodeToString[test.code], test.wants)
			}
		})
	}
}
