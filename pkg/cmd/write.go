package cmd

import (
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/kubectl-mesh/kubectl-mesh/pkg/app"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/istio"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/run"
)

// writing is what the commands that write share: how they write, with which settings, and what is shown of it.
type writing struct {
	global         *global
	timeout        time.Duration
	wait           bool
	yes            bool
	forceConflicts bool
	revision       string
	charts         istio.Charts
	resetSettings  bool
	objects        objects
	// given says whether a flag was.
	given func(flag string) bool
}

func (w *writing) addFlags(c *cobra.Command) {
	f := c.Flags()
	w.given = f.Changed
	durationVar(f, &w.timeout, "timeout", 5*time.Minute, "How long the whole command may take")
	f.BoolVar(&w.wait, "wait", true, "Wait until what was written works")
	f.BoolVarP(&w.yes, "yes", "y", false, "Do not ask before writing (it is asked on a terminal only)")
	f.BoolVar(&w.forceConflicts, "force-conflicts", false, "Take fields over that another field manager owns")
	f.StringVar(&w.revision, "revision", "", "The control plane's revision")
	w.objects.addFlags(c)
	f.BoolVar(&w.resetSettings, "reset-settings", false, "Forget the settings of the last run; without it, those that are not given again are kept")
	f.StringArrayVarP(&w.charts.Files, "filename", "f", nil, "File with an overlay in IstioOperator form; may be given more than once")
	f.StringArrayVar(&w.charts.Set, "set", nil, "Setting as PATH=VALUE, as of istioctl install; wins over -f")
	f.StringVar(&w.charts.Dir, "manifests", "", "Folder with the manifests of another Istio release (charts and profiles)")
	mustComplete(c, map[string]cobra.CompletionFunc{"filename": completeFiles("yaml", "yml", "json"), "manifests": completeFolders})
}

// session is that of this call.
func (w *writing) session() app.Session {
	s := w.global.session()
	s.Revision = w.revision
	s.Settings = app.Settings{Charts: w.charts, Given: givenSettings(w.given), Reset: w.resetSettings}
	s.Write = app.WriteOptions{DryRun: w.objects.how(), Wait: w.wait, ForceConflicts: w.forceConflicts}
	return s
}

// givenSettings are the settings that this run is told.
func givenSettings(given func(flag string) bool) istio.Given {
	told := istio.Given{
		Overlay: given("filename"), Hub: given("hub"), Tag: given("tag"), Profile: given("profile"), Manifests: given("manifests"),
	}
	for flag, paths := range map[string][]string{
		"hub": {"hub", "values.global.hub"}, "tag": {"tag", "values.global.tag"}, "profile": {"profile"},
		"mesh-id": {"values.global.meshID"}, "network": {"values.global.network"}, "cluster-name": {"values.global.multiCluster.clusterName"},
	} {
		if given(flag) {
			told.Paths = append(told.Paths, paths...)
		}
	}
	return told
}

// carryOut asks, carries out what is prepared with progress on stderr, and shows the objects where they are to be shown.
// Which steps have failed is in the outcome.
func (w *writing) carryOut(ctx context.Context, p *app.Prepared) (app.Outcome, error) {
	if err := w.objects.choose(p.Steps); err != nil {
		return app.Outcome{}, err
	}
	outcome, err := w.runSteps(ctx, p)
	if err == nil && w.objects.shown() {
		err = w.show(p.Mesh, outcome)
	}
	return outcome, err
}

func (w *writing) runSteps(ctx context.Context, p *app.Prepared) (app.Outcome, error) {
	if w.objects.dry() {
		return p.Run(ctx, func(run.Event) {})
	}
	if err := w.ask(ctx, p.Steps); err != nil {
		return app.Outcome{}, err
	}
	progress := w.global.progress(p.Clusters())
	progress.Start()
	defer progress.Stop()
	return p.Run(ctx, progress.Event)
}

// printKept says what of the last run's settings holds.
func (w *writing) printKept(kept []app.KeptSettings) {
	for _, k := range kept {
		fmt.Fprintf(w.global.ErrOut, "%s: keeping the settings of the last run: %s. --reset-settings goes back to the defaults.\n", k.Cluster, strings.Join(k.Settings, ", "))
	}
}

// summaryOut is where a command's closing words go: stdout, unless objects are printed there.
func (w *writing) summaryOut() io.Writer {
	if w.objects.shown() {
		return w.global.ErrOut
	}
	return w.global.Out
}
