package cmd

import (
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"
	"k8s.io/kubectl/pkg/util/templates"

	"github.com/kubectl-mesh/kubectl-mesh/pkg/istio"
)

// version is stamped by the build (-X); a build without stamps takes the module's.
var version string

// Version is this program's version.
func Version() string {
	if version != "" {
		return version
	}
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" && info.Main.Version != "(devel)" {
		return info.Main.Version
	}
	return "dev"
}

func newVersion(o *options) *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Print the version, and the Istio release whose charts are built in",
		Example: templates.Examples(`
			kubectl mesh version`),
		Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			_, err := fmt.Fprintf(o.Out, "kubectl-mesh %s (%s, %s/%s)\nIstio charts %s\n",
				Version(), runtime.Version(), runtime.GOOS, runtime.GOARCH, istio.Charts{}.Release())
			return err
		},
	}
}
