package parity

import (
	"maps"
	"testing"

	"sigs.k8s.io/yaml"
)

func parse(t *testing.T, text string) object {
	t.Helper()
	var o object
	if err := yaml.Unmarshal([]byte(text), &o); err != nil {
		t.Fatal(err)
	}
	return o
}

func TestNormalise(t *testing.T) {
	for title, test := range map[string]struct {
		object string
		want   map[string]string
	}{
		"what the API server fills in is gone": {
			object: `{kind: Service, metadata: {name: a, uid: x, managedFields: [{manager: y}], annotations: {deployment.kubernetes.io/revision: "1"}},
				spec: {clusterIP: 10.0.0.1, ports: [{name: http, port: 80, nodePort: 30001}]}, status: {loadBalancer: {}}}`,
			want: map[string]string{"kind": "Service", "metadata.name": "a", "spec.ports[http].name": "http", "spec.ports[http].port": "80"},
		},
		"a certificate is there or not": {
			object: `{kind: MutatingWebhookConfiguration, webhooks: [{name: w, clientConfig: {caBundle: LS0t}}, {name: v, clientConfig: {}}]}`,
			want: map[string]string{
				"kind": "MutatingWebhookConfiguration", "webhooks[w].name": "w", "webhooks[v].name": "v",
				"webhooks[w].clientConfig.caBundle": "(a certificate)",
			},
		},
		"a file in a ConfigMap is taken apart": {
			object: `{kind: ConfigMap, data: {mesh: "a: {b: 1}\nserver: https://10.0.0.2:6443", note: plain}}`,
			want:   map[string]string{"kind": "ConfigMap", "data.mesh.a.b": "1", "data.mesh.server": "https://REMOTE:6443", "data.note": "plain"},
		},
		"a secret shows nothing": {
			object: `{kind: Secret, data: {ca-key.pem: c2VjcmV0, token: c2VjcmV0, empty: ""}}`,
			want:   map[string]string{"kind": "Secret", `data["ca-key.pem"]`: "(a secret)", "data.token": "(a secret)", "data.empty": "(empty)"},
		},
		// kind: Config, clusters: [{name: c, cluster: {server: https://10.0.0.2:6443}}], users: [{name: u, user: {token: t}}]
		"a kubeconfig in a secret keeps its public half": {
			object: `{kind: Secret, data: {c: a2luZDogQ29uZmlnCmNsdXN0ZXJzOiBbe25hbWU6IGMsIGNsdXN0ZXI6IHtzZXJ2ZXI6IGh0dHBzOi8vMTAuMC4wLjI6NjQ0M319XQp1c2VyczogW3tuYW1lOiB1LCB1c2VyOiB7dG9rZW46IHR9fV0K}}`,
			want: map[string]string{
				"kind": "Secret", "data.c.kind": "Config", "data.c.clusters[c].name": "c", "data.c.clusters[c].cluster.server": "https://REMOTE:6443",
				"data.c.users[u].name": "u", "data.c.users[u].user.token": "(a secret)",
			},
		},
	} {
		t.Run(title, func(t *testing.T) {
			got := normalise(parse(t, test.object), map[string]string{"10.0.0.2": "REMOTE"})
			if !maps.Equal(got, test.want) {
				t.Errorf("got  %v\nwant %v", got, test.want)
			}
		})
	}
}

func TestOfTheFlow(t *testing.T) {
	for text, want := range map[string]bool{
		`{kind: Service, metadata: {name: a}}`:                                    true,
		`{kind: Pod, metadata: {name: a, ownerReferences: [{kind: ReplicaSet}]}}`: false,
		`{kind: Event, metadata: {name: a}}`:                                      false,
	} {
		if got := ofTheFlow(parse(t, text)); got != want {
			t.Errorf("%s: got %v", text, got)
		}
	}
}

func TestJudge(t *testing.T) {
	guide := state{"Service/a": {"x": "1", "y": "same"}, "Service/gone": {}}
	ours := state{"Service/a": {"x": "2", "y": "same", "z": "new"}}
	differences := compare("cluster1", guide, ours)
	if len(differences) != 3 {
		t.Fatalf("got %v, want x, z and the Service that is gone", differences)
	}
	unmeant, unmet := judge(differences, []intended{
		{object: "Service/*", field: "x", guide: "1", ours: "2"},
		{cluster: "cluster1", object: "Service/a", field: "z", guide: absentExactly},
		{cluster: "cluster2", field: "x"},
		{field: "x", ours: "3"},
	})
	if len(unmeant) != 1 || unmeant[0].object != "Service/gone" || unmeant[0].field != whole {
		t.Errorf("not meant: %v, want the Service that is gone", unmeant)
	}
	if len(unmet) != 2 || unmet[0].cluster != "cluster2" || unmet[1].ours != "3" {
		t.Errorf("without a difference: %+v, want the last two entries", unmet)
	}
}
