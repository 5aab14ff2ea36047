package main

import (
	"bytes"
	"fmt"
	"os"
	"path"
	"testing"
)

// The index has a manifest that krew takes, and that is the template, filled in and not typed: a change of the template
// goes with a release.
func TestIndex(t *testing.T) {
	t.Parallel()
	const file = "../plugins/" + pluginName + ".yaml"
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	m, err := parse(text)
	if err != nil {
		t.Fatal(err)
	}
	tag := m.Spec.Version
	if err := check(text, tag); err != nil {
		t.Error(err)
	}
	if err := krewValidator(t)(file); err != nil {
		t.Error(err)
	}
	template, err := os.ReadFile("../.krew.yaml")
	if err != nil {
		t.Fatal(err)
	}
	again, err := fill(string(template), tag, func(archive string) (string, error) {
		for _, p := range m.Spec.Platforms {
			if path.Base(p.URI) == path.Base(archive) {
				return p.SHA256, nil
			}
		}
		return "", fmt.Errorf("the index has no %s", archive)
	})
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(again, text) {
		t.Errorf("%s is not what .krew.yaml makes of %s; go run ./krew makes it again\n%s", file, tag, again)
	}
}
