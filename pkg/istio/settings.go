package istio

import (
	"fmt"
	"io/fs"
	"os"
	"regexp"
	"slices"
	"strings"

	"istio.io/istio/manifests"
	"istio.io/istio/operator/pkg/manifest"
	"istio.io/istio/operator/pkg/values"
	"istio.io/istio/pkg/config/mesh"
	"istio.io/istio/pkg/config/validation/agent"
	"istio.io/istio/pkg/util/protomarshal"
)

// The parts of an image's reference that the user gives, as container runtimes read them (the reference grammar of the
// OCI distribution specification). Istio's own check lets a URL pass.
var (
	hubPattern = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9.-]*(:[0-9]+)?(/[a-z0-9]+([._-]+[a-z0-9]+)*)*$`)
	tagPattern = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$`)
)

// merged lays the user's overlays over each other, ours over them, and the user's settings over all, as Istio's
// render.MergeInputs does before it adds the profile.
func (c Charts) merged(ours values.Map) (values.Map, error) {
	all := values.Map{"spec": map[string]any{}}
	if c.Overlay != "" {
		recorded, err := values.MapFromYaml([]byte(c.Overlay))
		if err != nil {
			return nil, fmt.Errorf("the settings of the last run: %w", err)
		}
		all.MergeFrom(recorded)
	}
	for _, file := range c.Files {
		text, err := os.ReadFile(file)
		if err != nil {
			return nil, fmt.Errorf("overlay: %w", err)
		}
		documents, err := manifest.ParseMultiple(string(text))
		if err != nil {
			return nil, fmt.Errorf("overlay %s: %w", file, err)
		}
		if len(documents) > 1 {
			return nil, fmt.Errorf("overlay %s has %d objects: one IstioOperator is expected", file, len(documents))
		}
		overlay, err := values.MapFromYaml(text)
		if err != nil {
			return nil, fmt.Errorf("overlay %s: %w", file, err)
		}
		if overlay["spec"] == nil { // `spec:` with nothing in it would take away what other overlays have
			delete(overlay, "spec")
		}
		all.MergeFrom(overlay)
	}
	all.MergeFrom(ours)
	return guarded(func() (values.Map, error) {
		for _, setting := range c.Set {
			if err := set(all, setting); err != nil {
				return nil, err
			}
		}
		all.MergeFrom(c.over)
		return all, nil
	})
}

// set applies PATH=VALUE as istioctl does, and three forms that istioctl stumbles over: a value with an equals sign in
// it, a list as {a,b}, and an element of a list that is there already.
func set(all values.Map, setting string) error {
	path, value, found := strings.Cut(setting, "=")
	path, value = "spec."+strings.TrimSpace(path), strings.TrimSpace(value)
	if !found || path == "spec." {
		return fmt.Errorf("--set %q is not PATH=VALUE", setting)
	}
	isList := strings.HasPrefix(value, "{") && strings.HasSuffix(value, "}")
	list, index := element(all, path)
	switch {
	case !isList && list == nil && !strings.Contains(value, "="):
		return all.SetSpecPaths(setting)
	case list != nil:
		list[index] = scalar(value)
		return nil
	case !isList:
		return all.SetPath(path, scalar(value))
	}
	elements := []any{}
	for _, part := range splitList(value[1 : len(value)-1]) {
		elements = append(elements, scalar(part))
	}
	return all.SetPath(path, elements)
}

// element finds the list, and the place in it, of a path that ends in [N] and leads to something that is there.
func element(all values.Map, path string) (list []any, index int) {
	open := strings.LastIndex(path, "[")
	if open < 0 || !strings.HasSuffix(path, "]") {
		return nil, 0
	}
	if _, err := fmt.Sscanf(path[open:], "[%d]", &index); err != nil {
		return nil, 0
	}
	there, found := values.GetPathAs[[]any](all, strings.TrimSuffix(path[:open], "."))
	if !found || index < 0 || index >= len(there) {
		return nil, 0
	}
	return there, index
}

// splitList splits at the commas that no backslash stands before.
func splitList(text string) []string {
	var parts []string
	rest := text
	for start := 0; rest != ""; {
		comma := strings.Index(rest[start:], ",")
		if comma < 0 {
			return append(parts, rest)
		}
		if at := start + comma; at > 0 && rest[at-1] == '\\' {
			start = at + 1
		} else {
			parts, rest, start = append(parts, rest[:at]), rest[at+1:], 0
		}
	}
	return parts
}

// scalar reads a value as istioctl does: a number, a boolean, or text.
func scalar(text string) any {
	if strings.Contains(text, "=") {
		return strings.ReplaceAll(text, `\,`, ",")
	}
	one := values.Map{}
	if err := one.SetPaths("value=" + text); err != nil {
		return text
	}
	return one["value"]
}

// validateMeshConfig holds the mesh configuration of the user's settings to Istio's own type and rules. Istio's installer
// and istiod leave out, without a word, what they do not know.
func validateMeshConfig(user values.Map) error {
	for _, path := range []string{"spec.meshConfig", "spec.values.meshConfig"} {
		given, found := user.GetPath(path)
		if !found {
			continue
		}
		settings, isMap := values.CastAsMap(given)
		where := strings.TrimPrefix(path, "spec.")
		if !isMap {
			return fmt.Errorf("%s: it holds settings, such as %s.trustDomain, and is none itself", where, where)
		}
		if err := protomarshal.ApplyJSONStrict(settings.JSON(), mesh.DefaultMeshConfig()); err != nil {
			return fmt.Errorf("%s: %w", where, err)
		}
		config, err := mesh.ApplyMeshConfigDefaults(settings.JSON())
		if err != nil {
			return fmt.Errorf("%s: %w", where, err)
		}
		if _, err := agent.ValidateMeshConfig(config); err != nil {
			return fmt.Errorf("%s: %w", where, err)
		}
	}
	return nil
}

// validateImages refuses a hub or a tag that no image's reference can be made of.
func (c Charts) validateImages(user values.Map) error {
	for _, hub := range []string{c.Hub, user.GetPathString("spec.hub"), user.GetPathString("spec.values.global.hub")} {
		if hub != "" && !hubPattern.MatchString(hub) {
			return fmt.Errorf("hub %q is not where images come from, such as %s: without a scheme, a tag and a slash at its end", hub, defaultHub)
		}
	}
	for _, tag := range []string{c.Tag, user.GetPathString("spec.tag"), user.GetPathString("spec.values.global.tag")} {
		if tag != "" && !tagPattern.MatchString(tag) {
			return fmt.Errorf("tag %q is not an image's, such as %s", tag, builtInRelease)
		}
	}
	return nil
}

// ValidateProfile says whether the charts have a profile that makes a primary; empty is the default.
func (c Charts) ValidateProfile(profile string) error {
	if profile == "" {
		return nil
	}
	files, err := fs.Glob(manifests.BuiltinOrDir(c.Dir), "profiles/*.yaml")
	if err != nil {
		return fmt.Errorf("the charts' profiles: %w", err)
	}
	var known []string
	for _, file := range files {
		name := strings.TrimSuffix(strings.TrimPrefix(file, "profiles/"), ".yaml")
		if name != remoteProfile {
			known = append(known, name)
		}
	}
	if !slices.Contains(known, profile) {
		return fmt.Errorf("profile %q is not one for a primary; there are: %s", profile, strings.Join(known, ", "))
	}
	return nil
}
