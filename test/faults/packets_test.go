package faults

import (
	"encoding/json"
	"fmt"
	"os/exec"
	"strings"
	"testing"

	"github.com/kubectl-mesh/kubectl-mesh/test/labtest"
)

// place is a cluster as packets see it.
type place struct {
	Name, Node, PodCIDR string
	Components          []struct {
		Name string
		PID  int
	}
}

// place finds a cluster of the lab.
func (m *testMesh) place(t *testing.T, cluster string) place {
	t.Helper()
	var status struct{ Clusters []place }
	if err := json.Unmarshal([]byte(m.Lab.Lab(t, "status", "-o", "json")), &status); err != nil {
		t.Fatal(err)
	}
	for _, p := range status.Clusters {
		if p.Name == cluster {
			return p
		}
	}
	t.Fatalf("the lab has no %s", cluster)
	return place{}
}

// nft runs a script of nftables where a cluster's packets pass.
func (m *testMesh) nft(t *testing.T, cluster, script string) {
	t.Helper()
	for _, component := range m.place(t, cluster).Components {
		if component.Name != "etcd" {
			continue
		}
		command := exec.CommandContext(t.Context(), "nsenter", fmt.Sprintf("--net=/proc/%d/ns/net", component.PID), "nft", "-f", "-")
		command.Stdin = strings.NewReader(script)
		if r := labtest.Finish(t, command); r.Code != 0 {
			t.Fatalf("nft in %s: %s\n%s", cluster, r.Stderr, script)
		}
		return
	}
	t.Fatalf("%s has no etcd", cluster)
}

// noRules takes away what setRules has put in.
const noRules = "add table inet faults\ndelete table inet faults\n"

// setRules puts a chain into the primary, in place of another one.
func (m *testMesh) setRules(t *testing.T, chain string) {
	t.Helper()
	m.nft(t, primary, noRules+"table inet faults {\nchain faults {\n"+chain+"\n}\n}\n")
}

// open takes the chain away.
func open(t *testing.T, m *testMesh) {
	t.Helper()
	m.nft(t, primary, noRules)
}

// atGateway does something to the packets that come to a port of the east-west gateway.
func atGateway(port int, hook, verdict string) action {
	return func(t *testing.T, m *testMesh) {
		t.Helper()
		address := m.kubectl(t, primary, "get", "service", "istio-eastwestgateway", "-o", "jsonpath={.status.loadBalancer.ingress[0].ip}")
		m.setRules(t, fmt.Sprintf("type %s; ip daddr %s tcp dport %d %s", hook, address, port, verdict))
	}
}

// pastTheRemote refuses what pods of the primary send to the remote's API server; which says whose packets those are.
func (m *testMesh) pastTheRemote(t *testing.T, which string) {
	t.Helper()
	m.setRules(t, fmt.Sprintf("type filter hook forward priority filter; %s ip daddr %s tcp dport 6443 reject with tcp reset",
		which, m.place(t, remote).Node))
}
