package cmd

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"k8s.io/cli-runtime/pkg/genericiooptions"
	"sigs.k8s.io/yaml"
)

// k9sPlugins is what k9s reads: the fields of its schema that docs/k9s.yaml has use for.
type k9sPlugins struct {
	Plugins map[string]struct {
		ShortCut    string   `json:"shortCut"`
		Description string   `json:"description"`
		Scopes      []string `json:"scopes"`
		Command     string   `json:"command"`
		Background  bool     `json:"background"`
		Args        []string `json:"args"`
	} `json:"plugins"`
}

// k9s can read the shortcuts, they differ, and the commands behind them are commands of ours.
func TestK9sPlugins(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../../docs/k9s.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var k9s k9sPlugins
	if err := yaml.UnmarshalStrict(text, &k9s); err != nil {
		t.Fatal(err)
	}
	if len(k9s.Plugins) == 0 {
		t.Fatal("there are no shortcuts")
	}
	ours := regexp.MustCompile(`kubectl mesh ([^|>]+?) (?:2>&1|\|)`)
	keys := map[string]string{}
	for name, plugin := range k9s.Plugins {
		if plugin.ShortCut == "" || plugin.Description == "" || len(plugin.Scopes) == 0 || plugin.Command == "" {
			t.Errorf("%s lacks what k9s requires", name)
		}
		if other := keys[plugin.ShortCut]; other != "" {
			t.Errorf("%s and %s have the same shortcut", name, other)
		}
		keys[plugin.ShortCut] = name
		call := ours.FindStringSubmatch(strings.Join(plugin.Args, " "))
		if len(call) < 2 || !strings.Contains(call[1], "--context $CONTEXT") {
			t.Errorf("%s does not call the plugin for the current context", name)
			continue
		}
		command, flags, err := NewRoot(genericiooptions.IOStreams{}).Find(strings.Fields(call[1]))
		if err != nil || !command.Runnable() {
			t.Errorf("%s: there is no command %q: %v", name, call[1], err)
		} else if err := command.ParseFlags(flags); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}
