package report

import (
	"fmt"
	"io"
	"strings"

	"k8s.io/cli-runtime/pkg/printers"

	"github.com/kubectl-mesh/kubectl-mesh/pkg/apply"
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
	var clusters []string
	for _, o := range objects {
		clusters = append(clusters, o.Cluster)
	}
	layout := columnsFor(2, column(clusters)...)
	for _, o := range objects {
		printer, err := printerFor(o.Verb)
		if err != nil {
			return err
		}
		var line strings.Builder
		if err := Objects(&line, []Object{o}, printer); err != nil {
			return err
		}
		if _, err := io.WriteString(w, layout.line(o.Cluster, line.String())); err != nil {
			return err
		}
	}
	return nil
}
