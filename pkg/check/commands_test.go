package check_test

import (
	"errors"
	"io"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/pflag"
	"k8s.io/cli-runtime/pkg/genericiooptions"

	"github.com/kubectl-mesh/kubectl-mesh/pkg/check"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/cmd"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/command"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/mesh"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/report"
)

const (
	kubeconfig = "--kubeconfig=/home/a b/$(config)"
	namespace  = "mesh-system"
)

// scenarioResults are the results of all scenarios for a user whose contexts have names that a shell would run.
func scenarioResults(folder string) []check.ScenarioResult {
	caller := command.Caller{Every: []string{kubeconfig}, Subcommand: check.BeforeAttach, Own: []string{"--filename=my overlay.yaml"}}
	return check.ResultsOfScenarios(caller, namespace, func(cluster string) string { return "x; touch " + folder + "/" + cluster + " #" })
}

// Every command that a check prints is one that its program takes: words, with all that the user's own call had.
func TestCommandsAreCommands(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	count := 0
	for _, r := range scenarioResults(folder) {
		for _, c := range slices.Concat(r.Fix.Commands, r.Fix.Inspect) {
			count++
			if problem := wrongWith(c, folder); problem != nil {
				t.Errorf("%s: %s: %s: %v", r.Scenario, r.ID, c, problem)
			}
		}
		if commands := r.Fix.Commands; len(commands) > 0 && looksOnly(commands[len(commands)-1]) {
			t.Errorf("%s: %s: %s changes nothing", r.Scenario, r.ID, command.Shell(commands...))
		}
		for _, c := range r.Fix.Inspect {
			if !looksOnly(c) {
				t.Errorf("%s: %s: %s does more than look", r.Scenario, r.ID, c)
			}
		}
	}
	if count == 0 {
		t.Error("no scenario has a command")
	}
}

// looksOnly is true for a command that changes nothing, or only for as long as it runs.
func looksOnly(c command.Command) bool {
	words := slices.DeleteFunc(slices.Clone(c.Argv), func(word string) bool { return strings.HasPrefix(word, "-") })
	return slices.ContainsFunc(words, func(word string) bool {
		return slices.Contains([]string{"get", "describe", "logs", "auth", "analyze", "proxy-config", "verify", "grep"}, word)
	})
}

func wrongWith(c command.Command, folder string) error {
	if !slices.Contains([]string{"kubectl", "istioctl", "helm", "echo", "grep"}, c.Argv[0]) {
		return errors.New("that is no program")
	}
	for _, word := range c.Argv {
		if slices.Contains([]string{"", "&&", "|", ";", "or", "and", "after:"}, word) {
			return errors.New("there is a word that is for a shell or for people")
		}
	}
	if missing := toReplace(c); !slices.Equal(missing, c.Placeholders) {
		return errors.New("to be replaced are " + strings.Join(missing, ", ") + ", but it says " + strings.Join(c.Placeholders, ", "))
	}
	if c.Argv[0] == "echo" || c.Argv[0] == "grep" || slices.Contains(c.Argv, "--local") {
		return nil // they call no cluster
	}
	if !slices.Contains(c.Argv, kubeconfig) {
		return errors.New("the user's kubeconfig is lost")
	}
	i := slices.IndexFunc(c.Argv, func(word string) bool { return word == "--context" || word == "--kube-context" })
	if i < 0 || !strings.HasPrefix(c.Argv[i+1], "x; touch "+folder) && !slices.Contains(c.Placeholders, c.Argv[i+1]) {
		return errors.New("the context is lost")
	}
	if c.Argv[1] == "mesh" {
		return refused(c)
	}
	return nil
}

// toReplace are the parts in capitals, which stand for something that only the user knows.
func toReplace(c command.Command) []string {
	capitals := regexp.MustCompile(`^(?:(NAME)=.*|(?:.*[=/])?(CONTEXT-OF-[a-z]+|[A-Z]{2,}(?:[:.][A-Z]+)?))$`)
	var parts []string
	for _, word := range c.Argv {
		if found := capitals.FindStringSubmatch(word); len(found) > 0 && !slices.Contains(parts, found[1]+found[2]) {
			parts = append(parts, found[1]+found[2])
		}
	}
	return parts
}

// refused is what kubectl mesh has against one of its own commands, once what is to be replaced in it is.
func refused(c command.Command) error {
	samples := strings.NewReplacer("https://ADDRESS:PORT", "https://192.0.2.7:6443", "ADDRESS", "192.0.2.7", "NETWORK", "network2", "NAME=", "name=")
	argv := slices.Clone(c.Argv)
	for i := range argv {
		argv[i] = samples.Replace(argv[i])
	}
	sub, rest, err := cmd.NewRoot(genericiooptions.IOStreams{In: strings.NewReader(""), Out: io.Discard, ErrOut: io.Discard}).Find(argv[2:])
	if err != nil {
		return err
	}
	if err := sub.ParseFlags(rest); err != nil {
		return err
	}
	if sub.Name() != argv[2] || sub.Flag("namespace").Value.String() != namespace {
		return errors.New("the subcommand or -n is lost")
	}
	if overlay := sub.Flags().Lookup("filename"); overlay != nil && overlay.Changed != (sub.Name() == check.BeforeAttach) {
		return errors.New("the flags of the same command are lost, or were given to another")
	}
	if err := sub.ValidateArgs(sub.Flags().Args()); err != nil {
		return err
	}
	for _, arg := range sub.Flags().Args() {
		ref, err := mesh.ParseClusterRef(arg, nil)
		if err == nil {
			err = mesh.ValidateClusterName(ref.Name)
		}
		if err != nil {
			return err
		}
	}
	if flag := sub.Flags().Lookup("remote-server"); flag != nil {
		server, is := flag.Value.(pflag.SliceValue)
		if !is {
			return errors.New("--remote-server has no list of values")
		}
		for _, address := range server.GetSlice() {
			if parsed, err := url.Parse(address); err != nil || parsed.Scheme != "https" || parsed.Host == "" {
				return errors.New(address + " is no server")
			}
		}
	}
	return nil
}

// Every command line that a check prints is run by a shell, which takes each word for one word and runs no part of it.
func TestShellTakesCommands(t *testing.T) {
	t.Parallel()
	folder, programs := t.TempDir(), t.TempDir()
	for _, name := range []string{"kubectl", "istioctl", "helm", "grep"} {
		// Each leaves its words in a file of its own: those of a pipeline run at once.
		const script = "#!/bin/sh\nprintf '%s\\0' \"${0##*/}\" \"$@\" > \"$RECORDS/$$\"\n"
		if err := os.WriteFile(filepath.Join(programs, name), []byte(script), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	run := map[string]bool{}
	for _, r := range scenarioResults(folder) {
		printed := report.Fix(r.Fix, "")
		for _, commands := range lines(r.Fix) {
			line := command.Shell(commands...)
			if !strings.Contains(printed, line+"\n") {
				t.Errorf("%s: %s: %s is printed as\n%s", r.Scenario, r.ID, line, printed)
			}
			if run[line] {
				continue
			}
			run[line] = true
			got, want := ran(t, programs, line), wordsOf(commands)
			if !slices.Equal(got, want) {
				t.Errorf("%s: %s: a shell takes %s for\n%q, which means\n%q", r.Scenario, r.ID, line, got, want)
			}
		}
	}
	if left, err := os.ReadDir(folder); err != nil || len(left) > 0 {
		t.Errorf("a part of a context's name was run: %v (%v)", left, err)
	}
}

// lines are the commands that stand on one line each.
func lines(f check.Fix) [][]command.Command {
	var lines [][]command.Command
	if len(f.Commands) > 0 {
		lines = append(lines, f.Commands)
	}
	for _, c := range f.Inspect {
		if !c.Piped {
			lines = append(lines, nil)
		}
		last := len(lines) - 1
		lines[last] = append(lines[last], c)
	}
	return lines
}

// wordsOf are the programs with their arguments, sorted. echo is the shell's own.
func wordsOf(commands []command.Command) []string {
	var programs []string
	for _, c := range commands {
		if c.Argv[0] != "echo" {
			programs = append(programs, strings.Join(c.Argv, "\x00")+"\x00")
		}
	}
	slices.Sort(programs)
	return programs
}

// ran are the programs that a shell has run, with their arguments, sorted.
func ran(t *testing.T, programs, line string) []string {
	t.Helper()
	records := t.TempDir()
	shell := exec.CommandContext(t.Context(), "/bin/sh", "-c", line)
	shell.Env = []string{"PATH=" + programs, "RECORDS=" + records}
	if out, err := shell.CombinedOutput(); err != nil {
		t.Errorf("%s: %v\n%s", line, err, out)
	}
	files, err := filepath.Glob(filepath.Join(records, "*"))
	if err != nil {
		t.Fatal(err)
	}
	var argvs []string
	for _, file := range files {
		argv, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		argvs = append(argvs, string(argv))
	}
	slices.Sort(argvs)
	return argvs
}
