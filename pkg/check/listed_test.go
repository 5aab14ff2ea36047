package check

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// A check that is declared is one that All lists, and its texts are written where it is declared.
func TestEveryDeclaredCheckIsListed(t *testing.T) {
	t.Parallel()
	var declared []string
	paths, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range paths {
		if strings.HasSuffix(path, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		checks := 0
		ast.Inspect(file, func(node ast.Node) bool {
			if id := idOf(node); id != "" {
				declared, checks = append(declared, id), checks+1
			}
			return true
		})
		if checks > 5 {
			t.Errorf("%s declares %d checks: it is of more than one subject", path, checks)
		}
	}
	for _, c := range All() {
		if !slices.Contains(declared, c.ID) {
			t.Errorf("All lists %s, which is declared nowhere", c.ID)
		}
	}
	for _, id := range declared {
		if _, err := Find(id); err != nil {
			t.Errorf("%s is declared and not listed in All", id)
		}
	}
}

// idOf is the id of a check that a node of the syntax tree declares.
func idOf(node ast.Node) string {
	literal, is := node.(*ast.CompositeLit)
	if !is {
		return ""
	}
	if name, is := literal.Type.(*ast.Ident); !is || name.Name != "Check" {
		return ""
	}
	for _, element := range literal.Elts {
		pair, is := element.(*ast.KeyValueExpr)
		if !is {
			continue
		}
		key, isName := pair.Key.(*ast.Ident)
		value, isText := pair.Value.(*ast.BasicLit)
		if isName && isText && key.Name == "ID" {
			return strings.Trim(value.Value, `"`)
		}
	}
	return ""
}
