package mesh

import (
	"strings"
	"testing"
)

func TestClusterName(t *testing.T) {
	t.Parallel()
	for context, want := range map[string]string{
		"kind-east":                      "kind-east",
		"gke_shop-123_europe-west1_prod": "gke-shop-123-europe-west1-prod",
		"arn:aws:eks:eu-north-1:123456789012:cluster/north": "arn-aws-eks-eu-north-1-123456789012-cluster-north",
		"Admin@Prod.Example.COM":                            "admin-prod-example-com",
		"default/api-prod-example-com:6443/kube:admin":      "default-api-prod-example-com-6443-kube-admin",
		"__east__":                        "east",
		"a=b":                             "a-b",
		"東京-1":                            "1",
		"東京":                              "",
		"":                                "",
		strings.Repeat("x", 63):           strings.Repeat("x", 63),
		strings.Repeat("p", 60) + "-east": strings.Repeat("p", 58) + "-east",
		"drop-" + strings.Repeat("y", 63): strings.Repeat("y", 63),
		"cut-" + strings.Repeat("k", 3) + strings.Repeat("-z", 31): "k" + strings.Repeat("-z", 31),
		"first-" + strings.Repeat("z", 62):                         strings.Repeat("z", 62),
	} {
		if got := ClusterName(context); got != want {
			t.Errorf("ClusterName(%q) = %q, want %q", context, got, want)
		}
	}
}

func FuzzClusterName(f *testing.F) {
	for _, seed := range []string{"", "-", "east", "arn:aws:eks:eu-north-1:1:cluster/n", "ÄÖ", "\x00", "\u212a8s", strings.Repeat("a-", 80)} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, context string) {
		name := ClusterName(context)
		if name == "" {
			return
		}
		if err := ValidateClusterName(name); err != nil {
			t.Errorf("ClusterName(%q) = %q: %v", context, name, err)
		}
		if again := ClusterName(name); again != name {
			t.Errorf("ClusterName(%q) = %q, of which it makes %q", context, name, again)
		}
	})
}

func TestParseClusterRef(t *testing.T) {
	t.Parallel()
	contexts := []string{"west", "a=b", "a"}
	for _, test := range []struct {
		arg     string
		want    ClusterRef
		wantErr string
	}{
		{arg: "west", want: ClusterRef{Name: "west", Context: "west"}},
		{arg: "not_there", want: ClusterRef{Name: "not-there", Context: "not_there"}},
		{arg: "cluster2=west", want: ClusterRef{Name: "cluster2", Context: "west", Named: true}},
		{arg: "n=arn:aws:eks:eu:1:cluster/n", want: ClusterRef{Name: "n", Context: "arn:aws:eks:eu:1:cluster/n", Named: true}},
		// A context may have an equals sign in its name; if it is there under the whole text, that is meant.
		{arg: "a=b", want: ClusterRef{Name: "a-b", Context: "a=b"}},
		{arg: "x=a=b", want: ClusterRef{Name: "x", Context: "a=b", Named: true}},
		{arg: "=west", wantErr: `"=west" is neither CONTEXT nor NAME=CONTEXT`},
		{arg: "west=", wantErr: `"west=" is neither CONTEXT nor NAME=CONTEXT`},
		{arg: "", wantErr: "a context's name is empty"},
		{arg: "東京", wantErr: `context "東京" has nothing that a cluster's name can be made of: give one with NAME=CONTEXT`},
	} {
		t.Run(test.arg, func(t *testing.T) {
			t.Parallel()
			got, err := ParseClusterRef(test.arg, contexts)
			if text(err) != test.wantErr || got != test.want {
				t.Errorf("got %+v, %v; want %+v, %s", got, err, test.want, test.wantErr)
			}
		})
	}
}

func FuzzParseClusterRef(f *testing.F) {
	for _, seed := range []string{"", "=", "a=b", "a=", "=b", "a=b=c", "west"} {
		f.Add(seed, "west")
		f.Add(seed, seed)
	}
	f.Fuzz(func(t *testing.T, arg, context string) {
		ref, err := ParseClusterRef(arg, []string{context})
		switch {
		case err != nil && ref != (ClusterRef{}):
			t.Errorf("an error and a reference: %+v, %v", ref, err)
		case err != nil:
		case ref.Name == "" || ref.Context == "":
			t.Errorf("ParseClusterRef(%q) gives %+v", arg, ref)
		case ref.Named && ref.Name+"="+ref.Context != arg, !ref.Named && ref.Context != arg:
			t.Errorf("ParseClusterRef(%q) loses something: %+v", arg, ref)
		case arg == context && ref.Named:
			t.Errorf("the known context %q was taken apart: %+v", context, ref)
		}
	})
}

func TestValidateClusterName(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"east", "1", "a-1", strings.Repeat("x", 63)} {
		if err := ValidateClusterName(name); err != nil {
			t.Errorf("%q is refused: %v", name, err)
		}
	}
	for name, says := range map[string]string{
		UnnamedCluster:          `cluster name "Kubernetes" is the one that Istio gives to every cluster without a name: choose another`,
		"":                      `cluster name "" is not valid`,
		"East":                  `cluster name "East" is not valid`,
		"-east":                 `cluster name "-east" is not valid`,
		"a.b":                   `cluster name "a.b" is not valid`,
		strings.Repeat("x", 64): "must be no more than 63",
	} {
		if err := ValidateClusterName(name); !strings.Contains(text(err), says) {
			t.Errorf("ValidateClusterName(%q) = %v, which does not say %q", name, err, says)
		}
	}
}

func TestValidateRevision(t *testing.T) {
	t.Parallel()
	for _, revision := range []string{"", "canary", "1-29-1", "default"} {
		if err := ValidateRevision(revision); err != nil {
			t.Errorf("%q is refused: %v", revision, err)
		}
	}
	// istiod-REVISION is a Service's name, so that dots and a long revision are out.
	for _, revision := range []string{"1.29.1", "Canary", "a_b", "-", strings.Repeat("r", 57)} {
		if err := ValidateRevision(revision); !strings.Contains(text(err), `revision "`+revision+`" is not valid: `) {
			t.Errorf("ValidateRevision(%q) = %v", revision, err)
		}
	}
}

func TestValidateNetwork(t *testing.T) {
	t.Parallel()
	for _, network := range []string{"", "network1", "VPC_1.eu"} {
		if err := ValidateNetwork(network); err != nil {
			t.Errorf("%q is refused: %v", network, err)
		}
	}
	for _, network := range []string{"a b", "-a", "a/b", strings.Repeat("n", 64)} {
		if err := ValidateNetwork(network); !strings.Contains(text(err), `network "`+network+`" is not valid: `) {
			t.Errorf("ValidateNetwork(%q) = %v", network, err)
		}
	}
}

func text(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

func TestValidateAddress(t *testing.T) {
	t.Parallel()
	for _, address := range []string{"203.0.113.7", "10.251.3.9", "gateway.example.com", "a", "10-0-0-1.nip.example", "1.2.3.4.sslip.io"} {
		if err := ValidateAddress(address); err != nil {
			t.Errorf("%q is refused: %v", address, err)
		}
	}
	for _, address := range []string{
		"", "127.0.0.1", "127.8.8.8", "0.0.0.0", "169.254.169.254", "224.0.0.1", "255.255.255.255", "localhost", "a.localhost",
		"10.251.3.999", "10.251.3", "10", "::1", "2001:db8::1", "::ffff:10.0.0.1", "10.0.0.1:15012", "https://gateway", "a b", "Gateway.example", "-a",
	} {
		if err := ValidateAddress(address); err == nil {
			t.Errorf("%q is taken", address)
		}
	}
}

func TestValidateNames(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		mesh Mesh
		says string
	}{
		{Mesh{Namespace: "istio-system", Revision: "canary"}, ""},
		{Mesh{Namespace: "Bad_NS"}, `namespace "Bad_NS" is not valid`},
		{Mesh{}, `namespace "" is not valid`},
		{Mesh{Namespace: "istio-system", Revision: "1.29"}, `revision "1.29" is not valid`},
	} {
		if err := test.mesh.ValidateNames(); !strings.Contains(text(err), test.says) || (err == nil) != (test.says == "") {
			t.Errorf("%+v: %v, which does not say %q", test.mesh, err, test.says)
		}
	}
	for id, valid := range map[string]bool{"": true, "mesh1": true, "a b": false, "a/b": false, strings.Repeat("x", 64): false} {
		if err := ValidateMeshID(id); (err == nil) != valid {
			t.Errorf("mesh id %q: %v", id, err)
		}
	}
}
