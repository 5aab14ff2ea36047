package execute

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes/fake"

	"github.com/kubectl-mesh/kubectl-mesh/pkg/apply"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/cluster"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/plan"
)

func TestDoOnAClusterThatIsNotThere(t *testing.T) {
	t.Parallel()
	_, err := executor("", "").Do(t.Context(), plan.Step{ID: "gone/x", Cluster: "gone", Action: plan.AwaitToken{}}, func(string) {})
	if err == nil || err.Error() != `step gone/x is for cluster "gone", which is not connected` {
		t.Errorf("got %v", err)
	}
}

func TestDoWithoutAnAction(t *testing.T) {
	t.Parallel()
	_, err := executor("", "").Do(t.Context(), plan.Step{ID: "east/x", Cluster: "east"}, func(string) {})
	if err == nil || err.Error() != "step east/x: nothing carries out <nil>" {
		t.Errorf("got %v", err)
	}
}

// parsed are the syntax trees of a package's files, without its tests.
func parsed(t *testing.T, folder string) []*ast.File {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(folder, "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	var files []*ast.File
	for _, name := range names {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, file)
	}
	return files
}

// Every action that there is has a case in the executor's switch, and one alone.
func TestEveryActionIsKnown(t *testing.T) {
	t.Parallel()
	var actions, cases []string
	for _, file := range parsed(t, "../plan") {
		for _, declaration := range file.Decls {
			method, is := declaration.(*ast.FuncDecl)
			if !is || method.Recv == nil || method.Name.Name != "describe" {
				continue
			}
			receiver, is := method.Recv.List[0].Type.(*ast.Ident)
			if !is {
				t.Fatalf("an action is a value, and %v is none", method.Recv.List[0].Type)
			}
			actions = append(actions, receiver.Name)
		}
	}
	for _, file := range parsed(t, ".") {
		ast.Inspect(file, func(n ast.Node) bool {
			if c, is := n.(*ast.CaseClause); is {
				for _, expression := range c.List {
					if selector, is := expression.(*ast.SelectorExpr); is && slices.Contains(actions, selector.Sel.Name) {
						cases = append(cases, selector.Sel.Name)
					}
				}
			}
			return true
		})
	}
	slices.Sort(actions)
	slices.Sort(cases)
	if !slices.Equal(actions, cases) || !slices.Contains(actions, "AwaitForgotten") {
		t.Errorf("the actions are\n%v\nthe executor knows\n%v", actions, cases)
	}
}

// A dry run changes nothing and waits for nothing, whatever the plan found: no restart of istiod, no deletion, no lease.
func TestDryRunChangesNothing(t *testing.T) {
	t.Parallel()
	for _, how := range []apply.DryRun{apply.DryRunClient, apply.DryRunServer} {
		for says, action := range map[string]plan.Action{
			"would be restarted":                    plan.RestartIstiod{},
			"1 would be deleted, and created again": plan.DropRemoteSecrets{Remote: "west", Secrets: []plan.SeenSecret{{Name: "istio-remote-secret-west", UID: "seen"}}},
			"would be deleted":                      plan.DropRemoteProfile{Slices: []string{"istiod"}},
			"not waited for":                        plan.AwaitSynced{Remote: "west", Restart: true},
		} {
			client := fake.NewClientset(&appsv1.Deployment{ObjectMeta: meta("istiod")}, secretWith("seen"),
				&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "istio-system"}})
			east := &cluster.Cluster{Name: "east", CLIClient: kubeOnly{clientset: client}}
			e := executor("", "192.0.2.1")
			e.Clusters["east"], e.DryRun = east, how
			result, err := e.Do(t.Context(), plan.Step{Cluster: "east", Action: action}, func(string) {})
			if err != nil || result.Wrote || result.Detail != says {
				t.Errorf("%s of %T: %+v, %v", how, action, result, err)
			}
			if requests := client.Actions(); len(requests) > 0 {
				t.Errorf("%s of %T asks for %v", how, action, requests)
			}
		}
	}
}

// A dry run takes no lease, and needs no token.
func TestDryRunOfCredentials(t *testing.T) {
	t.Parallel()
	e := executor("", "192.0.2.1")
	e.Clusters["west"], e.DryRun = faked(), apply.DryRunClient
	action := plan.ApplyRemoteSecret{Remote: "west", Server: "https://west.example"}
	result, err := e.Do(t.Context(), plan.Step{Cluster: "east", Action: action}, func(string) {})
	if err != nil || result.Detail != "1 created" {
		t.Errorf("got %+v, %v", result, err)
	}
	leases, err := e.Clusters["east"].Kube().CoordinationV1().Leases("").List(t.Context(), metav1.ListOptions{})
	if err != nil || len(leases.Items) > 0 {
		t.Errorf("there are leases: %v, %v", leases, err)
	}
}
