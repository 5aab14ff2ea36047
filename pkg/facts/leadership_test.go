package facts

import (
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kubectl-mesh/kubectl-mesh/pkg/snapshot"
)

func TestMayLead(t *testing.T) {
	t.Parallel()
	for annotation, want := range map[string]bool{"": false, "east": true, "other": false, "other,east": true, "*": true, "other,*": true, "eastern": false} {
		if got := MayLead(&snapshot.Cluster{Namespace: &snapshot.Namespace{ControlPlaneClusters: annotation}}, "east"); got != want {
			t.Errorf("%q: %v", annotation, got)
		}
	}
	if MayLead(&snapshot.Cluster{}, "east") {
		t.Error("east may lead in a cluster without the namespace")
	}
}

func TestLeads(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name              string
		change            func(home, remote *snapshot.Cluster)
		leads, hasWritten bool
	}{
		{"all is well", func(_, _ *snapshot.Cluster) {}, true, true},
		{"another primary's annotation", func(_, remote *snapshot.Cluster) { remote.Namespace.ControlPlaneClusters = "other" }, false, true},
		{"a webhook without a certificate", func(_, remote *snapshot.Cluster) { remote.Injectors[0].CABundles = []string{"", "root"} }, false, true},
		{"another root's certificate", func(_, remote *snapshot.Cluster) { remote.Injectors[0].CABundles = []string{"other"} }, false, true},
		{"a root that nobody knows", func(home, _ *snapshot.Cluster) { home.RootCert = "" }, true, true},
		{"no root certificate", func(_, remote *snapshot.Cluster) { remote.RootCert = "" }, false, true},
		{"a root certificate that can't be read", func(_, remote *snapshot.Cluster) {
			remote.RootCert, remote.Unreadable = "", []snapshot.Unreadable{{What: snapshot.RootCertificate}}
		}, true, true},
		{"no root certificate, in a namespace at which istiod does not look", func(home, remote *snapshot.Cluster) {
			home.ControlPlanes[0].DiscoverySelectors = snapshot.DiscoverySelectors{metav1.LabelSelector{MatchLabels: map[string]string{"mesh": "joined"}}}
			remote.RootCert = ""
		}, true, true},
		{"nothing is written", func(_, remote *snapshot.Cluster) { remote.RootCert, remote.Injectors[0].CABundles = "", []string{""} }, false, false},
		{"a root certificate in a namespace alone", func(_, remote *snapshot.Cluster) {
			remote.RootCert, remote.Injectors[0].CABundles = "", []string{""}
			remote.RootCerts = map[string]string{"shop": "root"}
		}, false, true},
		{"another revision's certificate alone", func(_, remote *snapshot.Cluster) { remote.RootCert, remote.Injectors[0].Revision = "", "canary" }, false, false},
	} {
		home := &snapshot.Cluster{RootCert: "root", ControlPlanes: []snapshot.ControlPlane{{Revision: "default"}}}
		remote := &snapshot.Cluster{
			RootCert: "root", Namespace: &snapshot.Namespace{ControlPlaneClusters: "east"},
			Injectors: []snapshot.Injector{{Revision: "default", CABundles: []string{"root"}}},
		}
		test.change(home, remote)
		if got := Leads(home, remote, "east", "default"); got != test.leads {
			t.Errorf("%s: leads is %v", test.name, got)
		}
		if got := HasWritten(remote, "default"); got != test.hasWritten {
			t.Errorf("%s: has written is %v", test.name, got)
		}
	}
}
