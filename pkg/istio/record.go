package istio

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"sigs.k8s.io/yaml"

	"istio.io/istio/operator/pkg/values"

	"github.com/kubectl-mesh/kubectl-mesh/pkg/istio/wellknown"
)

// The settings with which objects were made are recorded in the ConfigMap that stands for the set of these objects, so
// that a later run which is not told them again does not revert them. These are its keys.
const (
	recordedOverlay  = "overlay.yaml"
	recordedSet      = "set.yaml"
	recordedHub      = "hub"
	recordedTag      = "tag"
	recordedProfile  = "profile"
	recordedManifest = "manifests"
)

// The sets of objects whose settings are recorded.
const (
	PrimarySet  = wellknown.FieldManager + "-primary"
	EastWestSet = wellknown.FieldManager + "-eastwest"
	RemoteSet   = wellknown.FieldManager + "-remote"
)

// ReadRecord reads the settings that a set of objects was made with; none where there is no such set, and where it was
// made by a version that recorded none.
func ReadRecord(ctx context.Context, client kubernetes.Interface, namespace, set string) (map[string]string, error) {
	record, err := client.CoreV1().ConfigMaps(namespace).Get(ctx, set, metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("the settings of the last run: ConfigMap %s in %s: %w", set, namespace, err)
	}
	return record.Data, nil
}

// Record is what is written down of the user's settings; nothing where all are the defaults.
func (c Charts) Record() (map[string]string, error) {
	record := map[string]string{}
	for key, value := range map[string]string{recordedHub: c.Hub, recordedTag: c.Tag, recordedProfile: c.Profile} {
		if value != "" {
			record[key] = value
		}
	}
	if c.Dir != "" {
		record[recordedManifest] = c.Release()
	}
	withoutSet := c
	withoutSet.Set = nil
	overlay, err := withoutSet.merged(nil)
	if err != nil {
		return nil, err
	}
	if len(leaves(overlay)) > 0 {
		record[recordedOverlay] = values.Map{"spec": overlay["spec"]}.YAML()
	}
	if len(c.Set) > 0 {
		text, err := yaml.Marshal(c.Set)
		if err != nil {
			return nil, fmt.Errorf("recording --set: %w", err)
		}
		record[recordedSet] = string(text)
	}
	return record, nil
}

// Given are the settings that a run is told, whatever their values are.
type Given struct {
	Overlay, Hub, Tag, Profile, Manifests bool
	// Paths are those that flags of their own stand for, such as values.global.meshID for --mesh-id.
	Paths []string
}

// Keep adds to a run's settings those of the last run that it is not told anew, and names them. What a run is told stands
// for the same of the last run: all overlays together, each path of --set with what is below it, and each other flag.
func (c Charts) Keep(record map[string]string, given Given) (all Charts, kept []string, err error) {
	for _, flag := range []struct {
		name, recorded string
		value          *string
		given          bool
	}{
		{"--hub", record[recordedHub], &c.Hub, given.Hub},
		{"--tag", record[recordedTag], &c.Tag, given.Tag},
		{"--profile", record[recordedProfile], &c.Profile, given.Profile},
	} {
		if !flag.given && flag.recorded != "" {
			*flag.value = flag.recorded
			kept = append(kept, flag.name+" "+flag.recorded)
		}
	}
	if release := record[recordedManifest]; release != "" && !given.Manifests {
		return c, nil, fmt.Errorf("the last run used the charts of Istio %s (--manifests): give them again, or --manifests= for those of %s that are built in",
			release, builtInRelease)
	}
	if text := record[recordedOverlay]; text != "" && !given.Overlay {
		overlay, err := values.MapFromYaml([]byte(text))
		if err != nil {
			return c, nil, fmt.Errorf("the settings of the last run: %s: %w", recordedOverlay, err)
		}
		c.Overlay = text
		for _, leaf := range leaves(overlay) {
			kept = append(kept, "-f "+leaf)
		}
	}
	var set []string
	if err := yaml.Unmarshal([]byte(record[recordedSet]), &set); err != nil {
		return c, nil, fmt.Errorf("the settings of the last run: %s: %w", recordedSet, err)
	}
	anew := slices.Clone(given.Paths)
	for _, setting := range c.Set {
		anew = append(anew, pathOf(setting))
	}
	set = slices.DeleteFunc(set, func(setting string) bool {
		return slices.ContainsFunc(anew, func(path string) bool { return below(pathOf(setting), path) })
	})
	for _, setting := range set {
		kept = append(kept, "--set "+pathOf(setting))
	}
	c.Set = append(set, c.Set...)
	return c, kept, nil
}

// pathOf is the path of PATH=VALUE.
func pathOf(setting string) string {
	path, _, _ := strings.Cut(setting, "=")
	return strings.TrimSpace(path)
}

// below is true for a path that is another one, or leads to a part of it.
func below(path, other string) bool {
	rest, found := strings.CutPrefix(path, other)
	return found && (rest == "" || rest[0] == '.' || rest[0] == '[')
}

// leaves are the paths of an overlay's settings, sorted, as --set would have them; a list is one of them.
func leaves(overlay values.Map) []string {
	var paths []string
	var walk func(prefix string, node map[string]any)
	walk = func(prefix string, node map[string]any) {
		for _, key := range slices.Sorted(maps.Keys(node)) {
			path := prefix + strings.ReplaceAll(key, ".", `\.`)
			if child, isMap := values.CastAsMap(node[key]); isMap && len(child) > 0 {
				walk(path+".", child)
			} else if !isMap {
				paths = append(paths, path)
			}
		}
	}
	spec, _ := overlay.GetPathMap("spec")
	walk("", spec)
	return paths
}
