// Command krew makes the krew manifest of a release: the template .krew.yaml, filled in with the release's tag and the
// sums of the archives that goreleaser made. `make release` runs it.
package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	flags := flag.NewFlagSet("krew", flag.ContinueOnError)
	tag := flags.String("tag", "", "the release's tag, as in v0.1.0")
	dist := flags.String("dist", "dist", "the folder with the release's archives; the manifest is written to krew/ below it")
	source := flags.String("template", ".krew.yaml", "the manifest's template")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if *tag == "" {
		return errors.New("-tag is missing: give the tag of the release in " + *dist)
	}
	template, err := os.ReadFile(*source)
	if err != nil {
		return fmt.Errorf("the template: %w", err)
	}
	manifest, err := fill(string(template), *tag, sumIn(*dist))
	if err != nil {
		return fmt.Errorf("%s: %w", *source, err)
	}
	if err := check(manifest, *tag); err != nil {
		return fmt.Errorf("%s makes a manifest that is not fit for krew:\n%w", *source, err)
	}
	file := filepath.Join(*dist, "krew", pluginName+".yaml")
	if err := os.MkdirAll(filepath.Dir(file), 0o750); err != nil {
		return err
	}
	return os.WriteFile(file, manifest, 0o644) //nolint:gosec // it is published
}
