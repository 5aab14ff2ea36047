package cluster

import (
	"testing"

	"k8s.io/cli-runtime/pkg/genericclioptions"
)

// A context that lacks something must not lead to client-go's own defaults.
func TestValidateContext(t *testing.T) {
	t.Parallel()
	const kubeconfig = `apiVersion: v1
kind: Config
clusters:
- {name: c, cluster: {server: "https://c.example:6443"}}
- {name: serverless, cluster: {certificate-authority-data: cGVt}}
users:
- {name: u, user: {token: t}}
contexts:
- {name: whole, context: {cluster: c, user: u}}
- {name: nobodys, context: {cluster: c}}
- {name: clusterless, context: {user: u}}
- {name: gone, context: {cluster: nowhere, user: u}}
- {name: serverless, context: {cluster: serverless, user: u}}
- {name: userless, context: {cluster: c, user: nobody}}
`
	for _, test := range []struct {
		name, context string
		primary       bool
		set           func(f *genericclioptions.ConfigFlags)
		want          string
	}{
		{name: "whole", context: "whole"},
		{name: "without a user, as of a proxy", context: "nobodys"},
		{name: "no cluster", context: "clusterless", want: `context "clusterless" names no cluster in the kubeconfig: kubectl config set-context clusterless --cluster=CLUSTER`},
		{name: "a cluster that is not there", context: "gone", want: `context "gone" names the cluster "nowhere", which the kubeconfig does not have: kubectl config set-cluster nowhere --server=https://ADDRESS:PORT`},
		{name: "a cluster without a server", context: "serverless", want: `context "serverless" names the cluster "serverless", which has no server in the kubeconfig: kubectl config set-cluster serverless --server=https://ADDRESS:PORT`},
		{name: "a user that is not there", context: "userless", want: `context "userless" names the user "nobody", whom the kubeconfig does not have: kubectl config set-credentials nobody`},
		{name: "the primary's server by a flag", context: "gone", primary: true, set: func(f *genericclioptions.ConfigFlags) { *f.APIServer = "https://10.0.0.1" }},
		{name: "the primary's cluster by a flag", context: "gone", primary: true, set: func(f *genericclioptions.ConfigFlags) { *f.ClusterName = "c" }},
		{name: "the primary's user by a flag", context: "userless", primary: true, set: func(f *genericclioptions.ConfigFlags) { *f.AuthInfoName = "u" }},
		{name: "the primary's token by a flag", context: "userless", primary: true, set: func(f *genericclioptions.ConfigFlags) { *f.BearerToken = "t" }},
		{name: "flags are not a remote's", context: "gone", set: func(f *genericclioptions.ConfigFlags) { *f.APIServer = "https://10.0.0.1" },
			want: `context "gone" names the cluster "nowhere", which the kubeconfig does not have: kubectl config set-cluster nowhere --server=https://ADDRESS:PORT`},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			f := flags(t, kubeconfig)
			if test.set != nil {
				test.set(f)
			}
			err := ValidateContext(f, test.context, test.primary)
			if got := errorText(err); got != test.want {
				t.Errorf("got  %s\nwant %s", got, test.want)
			}
		})
	}
}

func errorText(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}
