package cmd

import (
	"maps"
	"slices"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/kubectl-mesh/kubectl-mesh/pkg/command"
)

// callerOf is what commands that are printed carry along of this call. Credentials never are.
func callerOf(c *cobra.Command) command.Caller {
	everywhere := []string{"kubeconfig", "as", "as-group", "as-uid", "as-user-extra"}
	// Those of kubectl's that pkg/cluster takes for the primary alone.
	primary := []string{
		"cluster", "user", "server", "tls-server-name", "insecure-skip-tls-verify",
		"client-certificate", "client-key", "certificate-authority",
	}
	// Those of our own that say what is to be made, and not how it is shown or how long it may take.
	own := []string{
		"filename", "set", "manifests", "hub", "tag", "profile", "mesh-id", "cluster-name", "network", "remote-server", "reset-settings",
		"address", "load-balancer-source-range", "gateway-annotation", "probe-image",
	}
	caller := command.Caller{Subcommand: c.Name()}
	local := c.LocalNonPersistentFlags()
	c.Flags().Visit(func(f *pflag.Flag) {
		switch isOwn := local.Lookup(f.Name) != nil; {
		case isOwn && slices.Contains(own, f.Name):
			caller.Own = append(caller.Own, words(c, f)...)
		case isOwn:
		case slices.Contains(everywhere, f.Name):
			caller.Every = append(caller.Every, words(c, f)...)
		case slices.Contains(primary, f.Name):
			caller.Primary = append(caller.Primary, words(c, f)...)
		}
	})
	return caller
}

// words are a flag as it is given, once for each of its values.
func words(c *cobra.Command, f *pflag.Flag) []string {
	values := []string{f.Value.String()}
	var words []string
	if several, is := f.Value.(pflag.SliceValue); is {
		values = several.GetSlice()
	} else if pairs, err := c.Flags().GetStringToString(f.Name); err == nil {
		values = nil
		for _, key := range slices.Sorted(maps.Keys(pairs)) {
			values = append(values, key+"="+pairs[key])
		}
	}
	for _, value := range values { // which may be the flag's own slice
		words = append(words, "--"+f.Name+"="+value)
	}
	return words
}
