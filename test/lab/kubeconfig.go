package lab

import (
	"fmt"
	"os"
	"path/filepath"

	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/client-go/tools/clientcmd/api"
)

// kubeconfigOf returns the administrator's kubeconfig of clusters, from the certificates in their folders.
func kubeconfigOf(clusters ...cluster) (*api.Config, error) {
	config := api.NewConfig()
	for _, c := range clusters {
		files := map[string][]byte{"ca.crt": nil, "admin.crt": nil, "admin.key": nil}
		for name := range files {
			raw, err := os.ReadFile(filepath.Join(c.pki(), name))
			if err != nil {
				return nil, fmt.Errorf("%s: %w", c.Name, err)
			}
			files[name] = raw
		}
		user := c.Name + "-admin"
		config.Clusters[c.Name] = &api.Cluster{Server: c.server(), CertificateAuthorityData: files["ca.crt"]}
		config.AuthInfos[user] = &api.AuthInfo{
			ClientCertificateData: files["admin.crt"],
			ClientKeyData:         files["admin.key"],
		}
		config.Contexts[c.Name] = &api.Context{Cluster: c.Name, AuthInfo: user}
		if config.CurrentContext == "" {
			config.CurrentContext = c.Name
		}
	}
	return config, nil
}

func writeKubeconfig(path string, clusters ...cluster) error {
	config, err := kubeconfigOf(clusters...)
	if err != nil {
		return err
	}
	raw, err := clientcmd.Write(*config)
	if err != nil {
		return err
	}
	return writeFile(path, raw, 0o600)
}

// client returns how to talk to the cluster's API server.
func (c cluster) client() (*rest.Config, error) {
	config, err := clientcmd.BuildConfigFromFlags("", c.kubeconfig())
	if err != nil {
		return nil, fmt.Errorf("%s: %w", c.Name, err)
	}
	config.QPS, config.Burst = -1, -1 // The lab's own calls need no brake.
	return config, nil
}
