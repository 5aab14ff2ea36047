package cmd

import (
	"cmp"
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"
	"k8s.io/kubectl/pkg/util/templates"

	"github.com/kubectl-mesh/kubectl-mesh/pkg/istio"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/report"
)

// version and commit are stamped by the build (-X). What is not stamped, Go knows: see source.
var (
	version string
	commit  string //nolint:gochecknoglobals // the linker can set nothing else
)

// source is what a program was built from.
type source struct {
	version, commit string
}

// Version is this program's version.
func Version() string {
	return builtFrom().version
}

func builtFrom() source {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		info = &debug.BuildInfo{}
	}
	return source{version, commit}.completed(info)
}

// completed adds what Go has recorded: the module's version where `go install` built a release, the commit where Go
// built in a clone.
func (s source) completed(info *debug.BuildInfo) source {
	if info.Main.Version != "(devel)" {
		s.version = cmp.Or(s.version, info.Main.Version)
	}
	s.version = cmp.Or(s.version, "dev")
	if s.commit != "" {
		return s
	}
	settings := map[string]string{}
	for _, setting := range info.Settings {
		settings[setting.Key] = setting.Value
	}
	s.commit = settings["vcs.revision"]
	if s.commit != "" && settings["vcs.modified"] == "true" {
		s.commit += "-dirty"
	}
	return s
}

func (s source) String() string {
	about := fmt.Sprintf("%s, %s/%s", runtime.Version(), runtime.GOOS, runtime.GOARCH)
	if s.commit != "" {
		about = "commit " + s.commit + ", " + about
	}
	return fmt.Sprintf("%s (%s)", s.version, about)
}

// versions are what version prints, in its forms for programs.
type versions struct {
	Version string `json:"version"`
	Commit  string `json:"commit,omitempty"`
	Go      string `json:"go"`
	// Platform is the system and the processor that this program was built for.
	Platform string `json:"platform"`
	// Istio is the release whose charts are built in.
	Istio string `json:"istio"`
}

func newVersion(g *global) *cobra.Command {
	var output string
	c := &cobra.Command{
		Use:   "version",
		Short: "Print the version, and the Istio release whose charts are built in",
		Example: templates.Examples(`
			kubectl mesh version

			# For a script
			kubectl mesh version -o json | jq -r .istio`),
		Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error { return g.printVersion(output) },
	}
	c.Flags().StringVarP(&output, "output", "o", "", "One of json, yaml")
	mustComplete(c, map[string]cobra.CompletionFunc{"output": completeList([]string{"json", "yaml"})})
	return c
}

func (g *global) printVersion(output string) error {
	from, release := builtFrom(), istio.Charts{}.Release()
	all := versions{
		Version: from.version, Commit: from.commit, Go: runtime.Version(), Platform: runtime.GOOS + "/" + runtime.GOARCH, Istio: release,
	}
	switch output {
	case "json":
		return report.JSON(g.Out, all)
	case "yaml":
		return report.YAML(g.Out, all)
	case "":
		_, err := fmt.Fprintf(g.Out, "kubectl-mesh %s\nIstio charts %s\n", from, release)
		return err
	}
	return usage("--output %q is none of json, yaml", output)
}

// userAgent is what API servers' logs call this program.
func userAgent() string {
	return fmt.Sprintf("kubectl-mesh/%s (%s/%s)", Version(), runtime.GOOS, runtime.GOARCH)
}
