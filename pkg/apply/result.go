package apply

import (
	"fmt"

	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// DryRun says how much of an Apply is done.
type DryRun string

// The kinds of dry runs, in kubectl's words.
const (
	// DryRunNone is none: what is applied stays.
	DryRunNone DryRun = "none"
	// DryRunClient reads and sends nothing else.
	DryRunClient DryRun = "client"
	// DryRunServer has the API server do everything but keep it. What is to be made in a namespace, or of a definition,
	// that is not there yet can't be asked for; it is taken to be made as it is wanted.
	DryRunServer DryRun = "server"
)

// Verb is what became of an object, in kubectl's words.
type Verb string

// What can become of an object.
const (
	Created    Verb = "created"
	Configured Verb = "configured"
	Unchanged  Verb = "unchanged"
)

// Result is what became of one object.
type Result struct {
	// Wanted is what was applied.
	Wanted *unstructured.Unstructured
	// Live is what was there before; nil for nothing.
	Live *unstructured.Unstructured
	// Now is what is there since or, in a server's dry run, what would be; in a client's it is what is wanted.
	Now  *unstructured.Unstructured
	Verb Verb
}

// predict takes what is wanted for what would be, without asking. An object that has all of that already would stay as it is.
func (r *Result) predict() {
	r.Now, r.Verb = r.Wanted, Configured
	switch {
	case r.Live == nil:
		r.Verb = Created
	case covers(r.Live.Object, r.Wanted.Object):
		r.Verb = Unchanged
	}
}

// compare compares what an API server answered with what was there.
func (r *Result) compare(how DryRun) {
	r.Verb = Configured
	switch {
	case r.Live == nil:
		r.Verb = Created
	case how == DryRunServer && same(r.Live, r.Now), how != DryRunServer && r.Live.GetResourceVersion() == r.Now.GetResourceVersion():
		r.Verb = Unchanged
	}
}

// covers is true when live has everything that is wanted. What is wanted empty need not be there: an API server leaves it out.
func covers(live, wanted any) bool {
	switch w := wanted.(type) {
	case nil:
		return true
	case string:
		return w == "" && live == nil || live == wanted
	case map[string]any:
		l, _ := live.(map[string]any)
		for key, value := range w {
			if !covers(l[key], value) {
				return false
			}
		}
		return true
	case []any:
		l, _ := live.([]any)
		if len(l) != len(w) {
			return false
		}
		for i := range w {
			if !covers(l[i], w[i]) {
				return false
			}
		}
		return true
	}
	// What templates made may have numbers of another type than what an API server sends.
	return live == wanted || fmt.Sprint(live) == fmt.Sprint(wanted)
}

// same compares what a dry run would leave with what is there. Only what is kept has a new resourceVersion, and the time
// at which a manager last applied its fields says nothing of them.
func same(live, now *unstructured.Unstructured) bool {
	copyOf := func(object *unstructured.Unstructured) map[string]any {
		copied := object.DeepCopy()
		copied.SetManagedFields(nil)
		copied.SetResourceVersion("")
		return copied.Object
	}
	return equality.Semantic.DeepEqual(copyOf(live), copyOf(now))
}

func (r *Result) count() Outcome {
	switch r.Verb {
	case Created:
		return Outcome{Created: 1}
	case Configured:
		return Outcome{Changed: 1}
	}
	return Outcome{Unchanged: 1}
}
