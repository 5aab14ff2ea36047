package report

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/cli-runtime/pkg/genericiooptions"
	"k8s.io/cli-runtime/pkg/printers"
	"k8s.io/kubectl/pkg/cmd/diff"
	"k8s.io/utils/exec"

	"github.com/kubectl-mesh/kubectl-mesh/pkg/apply"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/internal/temporary"
)

// Object is what became of one object, and in which cluster.
type Object struct {
	Cluster string
	// Part names what it was applied with, as in 3-attach-west: parts are applied in the order of their names.
	Part string
	apply.Result
}

// WithoutCredentials parts objects from those that carry credentials. A Secret that is wanted empty, for the cluster to
// fill, carries none as it is wanted.
func WithoutCredentials(objects []Object) (without, with []Object) {
	for _, o := range objects {
		switch {
		case o.Wanted.GetKind() != "Secret":
		case o.Wanted.Object["data"] != nil || o.Wanted.Object["stringData"] != nil:
			with = append(with, o)
			continue
		default:
			o.Now = o.Wanted
		}
		without = append(without, o)
	}
	return without, with
}

// PrinterFor is the printer for an object of which this became.
type PrinterFor func(apply.Verb) (printers.ResourcePrinter, error)

// Objects prints objects and nothing else.
func Objects(w io.Writer, objects []Object, printer printers.ResourcePrinter) error {
	for _, o := range objects {
		if err := printer.PrintObj(o.Now, w); err != nil {
			return fmt.Errorf("printing %s: %w", apply.Name(o.Wanted), err)
		}
	}
	return nil
}

// ObjectsByCluster prints a line for each object, with the name of its cluster before it.
func ObjectsByCluster(w io.Writer, objects []Object, printerFor PrinterFor) error {
	width := 0
	for _, o := range objects {
		width = max(width, len(o.Cluster))
	}
	for _, o := range objects {
		printer, err := printerFor(o.Verb)
		if err != nil {
			return err
		}
		var line strings.Builder
		if err := Objects(&line, []Object{o}, printer); err != nil {
			return err
		}
		if _, err := fmt.Fprintf(w, "%-*s  %s", width, o.Cluster, line.String()); err != nil {
			return err
		}
	}
	return nil
}

// Diff shows what would change, as kubectl diff does and through it: KUBECTL_EXTERNAL_DIFF is honoured, and the data of
// Secrets is masked. Nothing is shown where nothing would change.
func Diff(streams genericiooptions.IOStreams, objects []Object) error {
	differ, err := diff.NewDiffer("LIVE", "MERGED")
	if err != nil {
		return temporary.Explain(err)
	}
	defer differ.TearDown()
	changed := false
	for _, o := range objects {
		if o.Verb == apply.Unchanged {
			continue
		}
		changed = true
		if err := differ.Diff(difference{o}, diff.Printer{}, false); err != nil {
			return fmt.Errorf("comparing %s of %s: %w", apply.Name(o.Wanted), o.Cluster, temporary.Explain(err))
		}
	}
	if !changed {
		return nil
	}
	err = differ.Run(&diff.DiffProgram{Exec: exec.New(), IOStreams: streams})
	var exit exec.ExitError
	if errors.As(err, &exit) && exit.ExitStatus() == 1 { // diff's word for a difference
		return nil
	}
	return err
}

// difference is an Object as kubectl diff takes it.
type difference struct{ Object }

// Live is what is there; nil for nothing.
func (d difference) Live() runtime.Object {
	if d.Object.Live == nil {
		return nil
	}
	return d.Object.Live
}

// Merged is what would be there.
func (d difference) Merged() (runtime.Object, error) { return d.Now, nil }

// Name is that of the files that are compared.
func (d difference) Name() string {
	gvk := d.Wanted.GroupVersionKind()
	return strings.Join([]string{d.Cluster, gvk.Group, gvk.Version, gvk.Kind, d.Wanted.GetNamespace(), d.Wanted.GetName()}, ".")
}
