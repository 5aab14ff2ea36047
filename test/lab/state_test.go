package lab

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

func TestStateIsReadAsItWasWritten(t *testing.T) {
	dir := t.TempDir()
	if _, err := readState(dir); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("without a lab readState() = %v; want %v", err, fs.ErrNotExist)
	}
	want := state{Number: 3, Clusters: []Cluster{
		{Name: "cluster1", Number: 7, Network: "a", LoadBalancer: LoadBalancerNone},
		{Name: "cluster2", Number: 9, Network: "b", Nodeless: true, LoadBalancer: LoadBalancerIP},
	}}
	if err := want.write(dir); err != nil {
		t.Fatal(err)
	}
	got, err := readState(dir)
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("read %+v (%v); want %+v", got, err, want)
	}
	if found, err := got.cluster("cluster2"); err != nil || found.Number != 9 {
		t.Errorf("cluster2 is %+v (%v)", found, err)
	}
	if _, err := got.cluster("cluster3"); err == nil || !strings.Contains(err.Error(), "cluster2") {
		t.Errorf("cluster3: %v; want an error that says which there are", err)
	}
	if err := os.WriteFile(filepath.Join(dir, "lab.json"), []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := readState(dir); err == nil || !strings.Contains(err.Error(), "lab.json") {
		t.Errorf("half a file: %v; want an error that names it", err)
	}
}

func TestLockIsHeldByOne(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "lab")
	unlock, err := lock(t.Context(), dir, nil)
	if err != nil {
		t.Fatal(err)
	}
	// Whoever waits is told so, and is served when the first is done, even though that has removed the folder.
	waiting := make(chan struct{})
	second := make(chan error)
	go func() {
		unlock, err := lock(t.Context(), dir, func() { close(waiting) })
		if err == nil {
			defer unlock()
			_, err = os.Stat(dir)
		}
		second <- err
	}()
	<-waiting
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	unlock()
	if err := <-second; err != nil {
		t.Error(err)
	}
}

func TestLockEndsWithItsContext(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "lab")
	unlock, err := lock(t.Context(), dir, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer unlock()
	ctx, cancel := context.WithCancel(t.Context())
	if _, err := lock(ctx, dir, cancel); !errors.Is(err, context.Canceled) {
		t.Errorf("lock() = %v; want %v", err, context.Canceled)
	}
}

func TestLabNames(t *testing.T) {
	for name, want := range map[string]bool{
		"lab": true, "a": true, "my-lab-2": true, "a23456789012345678901234": true,
		"": false, "Lab": false, "-a": false, "a-": false, "a/b": false, "..": false, "a234567890123456789012345": false,
	} {
		if _, err := New(name, nil); (err == nil) != want {
			t.Errorf("New(%q) = %v", name, err)
		}
	}
}

func TestUpOptions(t *testing.T) {
	for name, test := range map[string]struct {
		options UpOptions
		present []Cluster
		want    string // of the error
	}{
		"new":             {UpOptions{Clusters: 2, NodelessFrom: 2, Networks: map[string]string{"cluster2": "b"}}, nil, ""},
		"none":            {UpOptions{}, nil, "not 0"},
		"too many":        {UpOptions{Clusters: maxNumber + 1}, nil, "not 61"},
		"unknown cluster": {UpOptions{Clusters: 1, Networks: map[string]string{"cluster2": "b"}}, nil, `no cluster "cluster2"`},
		"as it is":        {UpOptions{Clusters: 1}, []Cluster{{Name: "cluster1", Network: "b", Nodeless: true}}, ""},
		"another network": {
			UpOptions{Clusters: 1, Networks: map[string]string{"cluster1": "a"}},
			[]Cluster{{Name: "cluster1", Network: "b"}}, "cluster1 is on b already",
		},
		"routing":          {UpOptions{Clusters: 2, AggregatorRouting: []string{"cluster2"}}, []Cluster{{Name: "cluster2"}}, ""},
		"routing of none":  {UpOptions{Clusters: 1, AggregatorRouting: []string{"cluster2"}}, nil, `no cluster "cluster2" with aggregator routing`},
		"a CA of several":  {UpOptions{Clusters: 1, SharedCA: []string{"cluster1"}}, []Cluster{{Name: "cluster1", SharedCA: true}}, ""},
		"a CA of none":     {UpOptions{Clusters: 1, SharedCA: []string{"cluster2"}}, nil, `no cluster "cluster2" to share a CA`},
		"another CA":       {UpOptions{Clusters: 1, SharedCA: []string{"cluster1"}}, []Cluster{{Name: "cluster1"}}, "cluster1 has a CA of its own already"},
		"without its node": {UpOptions{Clusters: 1, NodelessFrom: 1}, []Cluster{{Name: "cluster1"}}, "cluster1 has a node already"},
	} {
		t.Run(name, func(t *testing.T) {
			err := test.options.validate()
			if err == nil {
				err = test.options.agree(state{Clusters: test.present})
			}
			if test.want == "" && err != nil || test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want)) {
				t.Errorf("%v; want %q", err, test.want)
			}
		})
	}
}

func TestLimitIsRaisedWhileThereIsALab(t *testing.T) {
	dir := t.TempDir()
	home := filepath.Join(dir, "labs")
	l := limit{setting: filepath.Join(dir, "setting"), former: filepath.Join(home, ".former"), need: 100}
	set := func(to string) {
		t.Helper()
		if err := os.WriteFile(l.setting, []byte(to), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	check := func(when, want string) {
		t.Helper()
		if got, err := os.ReadFile(l.setting); err != nil || string(got) != want {
			t.Errorf("%s it is %q (%v); want %q", when, got, err, want)
		}
	}
	do := func(what func(context.Context) error) {
		t.Helper()
		if err := what(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	lab := filepath.Join(home, "lab")
	if err := os.MkdirAll(lab, 0o755); err != nil {
		t.Fatal(err)
	}
	set("7\n")
	do(l.raise)
	do(l.raise)
	check("with a lab", "100")
	do(l.restore)
	check("while another lab is left", "100")
	if err := os.Remove(lab); err != nil {
		t.Fatal(err)
	}
	do(l.restore)
	check("without labs", "7")
	if _, err := os.Stat(home); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the folder of all labs is left: %v", err)
	}
	set("500")
	do(l.raise)
	do(l.restore)
	check("being high enough", "500")
}
