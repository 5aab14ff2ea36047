package main

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"sigs.k8s.io/yaml"
)

const (
	pluginName = "mesh"
	home       = "https://github.com/kubectl-mesh/kubectl-mesh"

	// What krew's reviewers ask for (https://krew.sigs.k8s.io/docs/developer-guide/develop/best-practices/), and its
	// validator does not.
	longestSummary = 50
	longestLine    = 80
)

// platforms are those that a release has an archive for.
var platforms = []string{ //nolint:gochecknoglobals // a list that nothing changes
	"darwin/amd64", "darwin/arm64", "linux/amd64", "linux/arm64", "windows/amd64", "windows/arm64",
}

// manifest is a krew manifest, in the form that ours has: no files (all of the archive is installed), and a platform
// selected by its labels.
type manifest struct {
	APIVersion string `json:"apiVersion"`
	Kind       string `json:"kind"`
	Metadata   struct {
		Name string `json:"name"`
	} `json:"metadata"`
	Spec struct {
		Version          string     `json:"version"`
		Homepage         string     `json:"homepage"`
		ShortDescription string     `json:"shortDescription"`
		Description      string     `json:"description"`
		Caveats          string     `json:"caveats"`
		Platforms        []platform `json:"platforms"`
	} `json:"spec"`
}

type platform struct {
	Selector struct {
		MatchLabels struct {
			OS   string `json:"os"`
			Arch string `json:"arch"`
		} `json:"matchLabels"`
	} `json:"selector"`
	URI    string `json:"uri"`
	SHA256 string `json:"sha256"`
	Bin    string `json:"bin"`
}

// name is that of the platform, as in linux/amd64.
func (p platform) name() string {
	return p.Selector.MatchLabels.OS + "/" + p.Selector.MatchLabels.Arch
}

// archiveName is that of a platform's archive in the release of a tag.
func archiveName(tag, platform string) string {
	return fmt.Sprintf("kubectl-mesh_%s_%s.tar.gz", tag, strings.ReplaceAll(platform, "/", "_"))
}

// binary is the program's name in a platform's archive.
func binary(platform string) string {
	if strings.HasPrefix(platform, "windows/") {
		return "kubectl-mesh.exe"
	}
	return "kubectl-mesh"
}

// parse reads a manifest and refuses fields that it does not know. krew itself passes over them, so that a misspelt one
// would be lost.
func parse(text []byte) (manifest, error) {
	var m manifest
	if err := yaml.UnmarshalStrict(text, &m); err != nil {
		return m, fmt.Errorf("the manifest: %w", err)
	}
	return m, nil
}

// check holds the manifest of the release of a tag against what krew's validator leaves to people: that it says what the
// release is, for each platform of it, in the form that krew's reviewers ask for.
func check(text []byte, tag string) error {
	m, err := parse(text)
	if err != nil {
		return err
	}
	var found []error
	expect := func(ok bool, format string, args ...any) {
		if !ok {
			found = append(found, fmt.Errorf(format, args...))
		}
	}
	expect(m.Metadata.Name == pluginName, "metadata.name is %q, want %s", m.Metadata.Name, pluginName)
	expect(m.Spec.Version == tag, "spec.version is %q, and the release is %s", m.Spec.Version, tag)
	expect(m.Spec.Homepage == home, "spec.homepage is %q, want %s", m.Spec.Homepage, home)
	expect(len(m.Spec.ShortDescription) <= longestSummary,
		"spec.shortDescription has %d characters, more than %d", len(m.Spec.ShortDescription), longestSummary)
	expect(!strings.HasSuffix(m.Spec.ShortDescription, "."), "spec.shortDescription ends with a full stop")
	expect(m.Spec.Description != "", "spec.description is missing")
	for line := range strings.Lines(m.Spec.Description + "\n" + m.Spec.Caveats) {
		line = strings.TrimRight(line, "\n")
		expect(len(line) <= longestLine, "a line has more than %d characters: %q", longestLine, line)
	}
	flag := regexp.MustCompile(`(?m)(^|\s)--?[a-z][a-z-]*`).FindString(m.Spec.Description)
	expect(flag == "", "spec.description lists flags (%s): --help is the place for them", strings.TrimSpace(flag))

	var has []string
	for _, p := range m.Spec.Platforms {
		has = append(has, p.name())
		uri := fmt.Sprintf("%s/releases/download/%s/%s", home, tag, archiveName(tag, p.name()))
		expect(p.URI == uri, "%s: uri is %q, want %s", p.name(), p.URI, uri)
		expect(p.Bin == binary(p.name()), "%s: bin is %q, want %s", p.name(), p.Bin, binary(p.name()))
	}
	slices.Sort(has)
	expect(slices.Equal(has, platforms), "spec.platforms is for %v, want %v", has, platforms)
	return errors.Join(found...)
}
