package apply

import (
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

func holding(content map[string]any) *unstructured.Unstructured {
	return &unstructured.Unstructured{Object: content}
}

func TestPredict(t *testing.T) {
	t.Parallel()
	live := map[string]any{
		"metadata": map[string]any{"name": "a", "resourceVersion": "7", "labels": map[string]any{"mine": "x", "theirs": "y"}},
		"spec":     map[string]any{"replicas": int64(2), "env": []any{map[string]any{"name": "A"}, map[string]any{"name": "B", "value": "b"}}},
	}
	for name, c := range map[string]struct {
		wanted map[string]any
		verb   Verb
	}{
		"less than is there":     {map[string]any{"metadata": map[string]any{"labels": map[string]any{"mine": "x"}}}, Unchanged},
		"an empty value":         {map[string]any{"spec": map[string]any{"env": []any{map[string]any{"name": "A", "value": ""}, map[string]any{"name": "B"}}}}, Unchanged},
		"a number":               {map[string]any{"spec": map[string]any{"replicas": float64(2)}}, Unchanged},
		"another number":         {map[string]any{"spec": map[string]any{"replicas": int64(3)}}, Configured},
		"another value":          {map[string]any{"metadata": map[string]any{"labels": map[string]any{"mine": "z"}}}, Configured},
		"a value for none":       {map[string]any{"spec": map[string]any{"env": []any{map[string]any{"name": "A", "value": "a"}, map[string]any{"name": "B"}}}}, Configured},
		"one more of a list":     {map[string]any{"spec": map[string]any{"env": []any{map[string]any{"name": "A"}}}}, Configured},
		"something that is new":  {map[string]any{"data": map[string]any{"k": "v"}}, Configured},
		"another type of value":  {map[string]any{"metadata": "text"}, Configured},
		"a list where is a map":  {map[string]any{"spec": []any{"x"}}, Configured},
		"nothing where there is": {map[string]any{"spec": nil}, Unchanged},
	} {
		r := Result{Wanted: holding(c.wanted), Live: holding(live)}
		r.predict()
		if r.Verb != c.verb || r.Now != r.Wanted {
			t.Errorf("%s: %s, want %s", name, r.Verb, c.verb)
		}
	}
	absent := Result{Wanted: holding(map[string]any{"kind": "X"})}
	absent.predict()
	if absent.Verb != Created || absent.Now != absent.Wanted {
		t.Errorf("nothing is there: %s", absent.Verb)
	}
}

// An API server's dry run leaves the resourceVersion as it is, whatever would change.
func TestVerbOfAServersDryRun(t *testing.T) {
	t.Parallel()
	at := func(colour, version, time string) *unstructured.Unstructured {
		return holding(map[string]any{
			"metadata": map[string]any{"resourceVersion": version, "managedFields": []any{map[string]any{"time": time}}},
			"data":     map[string]any{"colour": colour},
		})
	}
	same := Result{Live: at("red", "1", "noon"), Now: at("red", "2", "night")}
	same.compare(DryRunServer)
	if same.Verb != Unchanged {
		t.Errorf("the same but for its managers' times: %s", same.Verb)
	}
	other := Result{Live: at("red", "1", "noon"), Now: at("blue", "1", "noon")}
	other.compare(DryRunServer)
	if other.Verb != Configured {
		t.Errorf("another value: %s", other.Verb)
	}
}
