package cmd

import (
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"k8s.io/cli-runtime/pkg/genericiooptions"

	"github.com/kubectl-mesh/kubectl-mesh/pkg/mesh"
)

func TestCaller(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		line                string
		every, primary, own []string
	}{
		{"verify --context east", nil, nil, nil},
		{"verify --kubeconfig k --as me --as-group a --as-group b -o json --traffic --probe-image i", []string{"--as=me", "--as-group=a", "--as-group=b", "--kubeconfig=k"}, nil, []string{"--probe-image=i"}},
		{"status --server https://a --user u --token secret", nil, []string{"--server=https://a", "--user=u"}, nil},
		{"attach-remote west -f a.yaml -f b.yaml --set x=y --network n --dry-run=server --timeout 1m", nil, nil, []string{"--filename=a.yaml", "--filename=b.yaml", "--network=n", "--set=x=y"}},
		{"expose-istiod --gateway-annotation b=2 --gateway-annotation a=1 --load-balancer-source-range 10.0.0.0/8,192.0.2.0/24", nil, nil,
			[]string{"--gateway-annotation=a=1", "--gateway-annotation=b=2", "--load-balancer-source-range=10.0.0.0/8", "--load-balancer-source-range=192.0.2.0/24"}},
	} {
		args := strings.Fields(test.line)
		c, rest, err := NewRoot(genericiooptions.IOStreams{In: strings.NewReader(""), Out: io.Discard, ErrOut: io.Discard}).Find(args)
		if err != nil {
			t.Fatal(err)
		}
		if err := c.ParseFlags(rest); err != nil {
			t.Fatal(err)
		}
		before := flagValues(c)
		caller := callerOf(c)
		if after := flagValues(c); !slices.Equal(after, before) {
			t.Errorf("%s: its flags were %q and are %q", test.line, before, after)
		}
		if caller.Subcommand != args[0] || !slices.Equal(caller.Every, test.every) || !slices.Equal(caller.Primary, test.primary) || !slices.Equal(caller.Own, test.own) {
			t.Errorf("%s carries along %+v", test.line, caller)
		}
	}
}

// flagValues are all flags with their values.
func flagValues(c *cobra.Command) []string {
	var values []string
	c.Flags().VisitAll(func(f *pflag.Flag) { values = append(values, f.Name+"="+f.Value.String()) })
	return values
}

// What comes next is printed for a shell, like any other command.
func TestNextIsQuoted(t *testing.T) {
	t.Parallel()
	g := &global{}
	g.caller.Every = []string{"--kubeconfig=my file"}
	m := mesh.Mesh{Namespace: "mesh-system", Clusters: []mesh.Cluster{{Name: "east", Context: "x; touch /tmp/p #", Role: mesh.Primary}}}
	const want = "kubectl mesh expose-istiod --context 'x; touch /tmp/p #' -n mesh-system '--kubeconfig=my file'"
	if got := g.next(m, "expose-istiod"); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}
