package lab

import (
	"net"
	"net/netip"
	"strings"
	"sync"

	"github.com/miekg/dns"
)

// zone is the domain of the lab's own names.
const zone = "lab.test"

// names is a DNS server for load balancers that are known by a name. It answers for the zone and for nothing else.
type names struct {
	mutex     sync.RWMutex
	addresses map[string]map[string]netip.Addr // by cluster and name
}

// set replaces all names of a cluster.
func (n *names) set(cluster string, addresses map[string]netip.Addr) {
	n.mutex.Lock()
	defer n.mutex.Unlock()
	if n.addresses == nil {
		n.addresses = map[string]map[string]netip.Addr{}
	}
	n.addresses[cluster] = addresses
}

func (n *names) find(name string) (netip.Addr, bool) {
	n.mutex.RLock()
	defer n.mutex.RUnlock()
	for _, addresses := range n.addresses {
		if address, ok := addresses[name]; ok {
			return address, true
		}
	}
	return netip.Addr{}, false
}

// ServeDNS answers one query.
func (n *names) ServeDNS(w dns.ResponseWriter, query *dns.Msg) {
	answer := new(dns.Msg).SetReply(query)
	answer.Authoritative = true
	for _, question := range query.Question {
		address, ok := n.find(strings.ToLower(strings.TrimSuffix(question.Name, ".")))
		switch {
		case !ok:
			answer.Rcode = dns.RcodeNameError
		case question.Qtype == dns.TypeA:
			answer.Answer = append(answer.Answer, &dns.A{
				// Tests change what a name means, and want to see it.
				Hdr: dns.RR_Header{Name: question.Name, Rrtype: dns.TypeA, Class: dns.ClassINET, Ttl: 1},
				A:   net.IP(address.AsSlice()),
			})
		}
	}
	_ = w.WriteMsg(answer) // Who asked asks again.
}
