package lab

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"

	"k8s.io/client-go/rest"
)

// answering asks the components that start before the API server, or with it, whether they are well: that a process is
// there says little in its first seconds. It returns what is not so.
func (c cluster) answering(ctx context.Context, withClients bool) (lacks string, err error) {
	config, err := c.client()
	if err != nil {
		return "", err
	}
	client, err := rest.HTTPClientFor(config) // It trusts the cluster's certificates.
	if err != nil {
		return "", err
	}
	for _, each := range c.components() {
		if each.health == "" || (each.client && !withClients) {
			continue
		}
		if err := ask(ctx, client, each.health); err != nil {
			return fmt.Sprintf("%s does not answer: %v", each.name, err), nil
		}
	}
	return "", nil
}

// ask gets a URL, or connects to a socket, and returns an error if that is not answered well.
func ask(ctx context.Context, client *http.Client, at string) error {
	if socket, ok := strings.CutPrefix(at, "unix://"); ok {
		connection, err := new(net.Dialer).DialContext(ctx, "unix", socket)
		if err != nil {
			return err
		}
		return connection.Close()
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, at, http.NoBody)
	if err != nil {
		return err
	}
	response, err := client.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	said, err := io.ReadAll(response.Body)
	if err == nil && response.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s answers %s", at, firstLine(string(said), errors.New(response.Status)))
	}
	return err
}
