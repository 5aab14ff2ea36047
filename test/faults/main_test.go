// Package faults breaks a healthy mesh on real clusters, one thing at a time, and holds verify to naming it: that id
// for that cluster and no other, with a fix that works as it is printed.
package faults

import (
	"os"
	"testing"

	"github.com/kubectl-mesh/kubectl-mesh/test/labtest"
)

func TestMain(m *testing.M) { os.Exit(labtest.Main(m)) }
