package cluster

import (
	"fmt"

	"k8s.io/cli-runtime/pkg/genericclioptions"
	"k8s.io/client-go/tools/clientcmd/api"

	"github.com/kubectl-mesh/kubectl-mesh/pkg/command"
)

// ValidateContext says what a context of the kubeconfig lacks, so that no client is made of it. client-go would take its
// own defaults instead: the server localhost:8080, and nobody as the user. What the primary's flags give (--server,
// --cluster, --user, …) need not be in the kubeconfig.
func ValidateContext(flags *genericclioptions.ConfigFlags, name string, primary bool) error {
	raw, err := flags.ToRawKubeConfigLoader().RawConfig()
	if err != nil {
		return fmt.Errorf("reading the kubeconfig: %w", err)
	}
	context := raw.Contexts[name]
	if context == nil {
		context = &api.Context{}
	}
	clusterName, user, server, credentials := context.Cluster, context.AuthInfo, "", false
	if primary {
		given := func(flag *string) string {
			if flag == nil {
				return ""
			}
			return *flag
		}
		if override := given(flags.ClusterName); override != "" {
			clusterName = override
		}
		if override := given(flags.AuthInfoName); override != "" {
			user = override
		}
		server = given(flags.APIServer)
		credentials = given(flags.BearerToken) != "" || given(flags.CertFile) != "" || given(flags.Username) != ""
	}
	switch entry := raw.Clusters[clusterName]; {
	case server != "":
	case clusterName == "":
		return fmt.Errorf("context %q names no cluster in the kubeconfig: %s", name, config("set-context", name, "--cluster=CLUSTER"))
	case entry == nil:
		return fmt.Errorf("context %q names the cluster %q, which the kubeconfig does not have: %s",
			name, clusterName, config("set-cluster", clusterName, "--server=https://ADDRESS:PORT"))
	case entry.Server == "":
		return fmt.Errorf("context %q names the cluster %q, which has no server in the kubeconfig: %s",
			name, clusterName, config("set-cluster", clusterName, "--server=https://ADDRESS:PORT"))
	}
	if user != "" && raw.AuthInfos[user] == nil && !credentials {
		return fmt.Errorf("context %q names the user %q, whom the kubeconfig does not have: %s", name, user, config("set-credentials", user))
	}
	return nil
}

// config is a command on the kubeconfig, as a line for a shell.
func config(args ...string) string {
	return command.Shell(command.Command{Argv: append([]string{"kubectl", "config"}, args...)})
}
