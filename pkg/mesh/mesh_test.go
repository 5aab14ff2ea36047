package mesh

import (
	"strings"
	"testing"
)

func TestRoles(t *testing.T) {
	t.Parallel()
	m := Mesh{Clusters: []Cluster{{Name: "b", Role: Remote}, {Name: "p", Role: Primary}, {Name: "a", Role: Remote}}}
	if primary, found := m.Primary(); !found || primary.Name != "p" {
		t.Errorf("the primary is %+v, %v", primary, found)
	}
	var names []string
	for _, c := range m.Remotes() {
		names = append(names, c.Name)
	}
	if got := strings.Join(names, " "); got != "b a" {
		t.Errorf("the remotes are %q: they must keep the user's order", got)
	}
	if _, found := (Mesh{Clusters: []Cluster{{Name: "r", Role: Remote}}}).Primary(); found {
		t.Error("a mesh of a remote alone has a primary")
	}
}

func TestRevisionLabel(t *testing.T) {
	t.Parallel()
	if label := (Mesh{}).RevisionLabel(); label != "default" {
		t.Errorf("the unnamed revision is labelled %q", label)
	}
	if label := (Mesh{Revision: "canary"}).RevisionLabel(); label != "canary" {
		t.Errorf("revision canary is labelled %q", label)
	}
}

// Whoever gives a mesh with several mistakes is told of all of them at once.
func TestValidate(t *testing.T) {
	t.Parallel()
	good := Mesh{Revision: "canary", Clusters: []Cluster{
		{Name: "east", Context: "east", Role: Primary, Network: "n1"}, {Name: "west", Context: "west", Role: Remote},
	}}
	if err := good.Validate(); err != nil {
		t.Errorf("a good mesh is refused: %v", err)
	}
	bad := Mesh{Revision: "1.29", Clusters: []Cluster{
		{Name: "East", Context: "east", Role: Primary, Network: "not a label"},
		{Name: "west", Context: "west-1", Role: Remote},
		{Name: "west", Context: "west-2", Role: Remote, Network: "a/b"},
		{Name: "Kubernetes", Context: "kind", Role: Remote},
		{Name: "south", Context: "south", Role: Remote, Primary: "west"},
	}}
	lines := strings.Split(text(bad.Validate()), "\n")
	wanted := []string{
		`revision "1.29" is not valid: `,
		`cluster name "East" is not valid: `,
		`cluster "East": network "not a label" is not valid: `,
		`contexts "west-1" and "west-2" would both be cluster "west": give one another name with NAME=CONTEXT`,
		`cluster "west": network "a/b" is not valid: `,
		`cluster name "Kubernetes" is the one that Istio gives to every cluster without a name: choose another`,
		`cluster "south" is to be served by "west", which is no primary of the mesh`,
	}
	if len(lines) != len(wanted) {
		t.Fatalf("%d mistakes are named, not %d:\n%s", len(lines), len(wanted), strings.Join(lines, "\n"))
	}
	for i, want := range wanted {
		if !strings.HasPrefix(lines[i], want) {
			t.Errorf("mistake %d is named %q, which does not begin with %q", i+1, lines[i], want)
		}
	}
}

// A primary whose context has no letter and no digit is told how to get a name.
func TestValidateNoName(t *testing.T) {
	t.Parallel()
	m := Mesh{Clusters: []Cluster{{Name: ClusterName("@@@"), Context: "@@@", Role: Primary}}}
	const want = `context "@@@" has nothing that a cluster's name can be made of: give one with --cluster-name`
	if got := text(m.Validate()); got != want {
		t.Errorf("it says %q, not %q", got, want)
	}
}
