//go:build unix

package main

import (
	"bytes"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// nobody is the account that has no rights but everybody's.
const nobody = 65534

// account is a user who has nothing of this machine's developer: no Go, no environment, no rights. Where the tests do
// not run as root, the rights are theirs.
type account struct {
	home, bin string
	env       []string
}

func newAccount(t *testing.T) account {
	t.Helper()
	home, err := os.MkdirTemp("", "kubectl-mesh-account-") //nolint:usetesting // no other account may enter t.TempDir
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(home) })
	user := account{home: home, bin: filepath.Join(home, "bin")}
	if err := os.Mkdir(user.bin, 0o755); err != nil {
		t.Fatal(err)
	}
	if os.Getuid() == 0 {
		for _, folder := range []string{home, user.bin} {
			if err := os.Chown(folder, nobody, nobody); err != nil {
				t.Fatal(err)
			}
		}
	}
	user.env = []string{"HOME=" + home, "PATH=" + user.bin + ":/usr/bin:/bin", "KREW_NO_UPGRADE_CHECK=1"}
	return user
}

// withPath is the account with that folder, and one for what it is given from now on, as its whole PATH.
func (a account) withPath(folder string) account {
	a.bin = filepath.Join(a.home, "path")
	a.env = []string{"HOME=" + a.home, "PATH=" + a.bin + ":" + folder}
	return a
}

// has gives the account a program, under a name.
func (a account) has(t *testing.T, program, name string) {
	t.Helper()
	a.copy(t, program, filepath.Join(a.bin, name))
}

// copied gives the account a file, and says where it is.
func (a account) copied(t *testing.T, file string) string {
	t.Helper()
	to := filepath.Join(a.home, filepath.Base(file))
	a.copy(t, file, to)
	return to
}

func (account) copy(t *testing.T, from, to string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
		t.Fatal(err)
	}
	source, err := os.Open(from)
	if err != nil {
		t.Fatal(err)
	}
	defer source.Close()
	target, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o755)
	if err != nil {
		t.Fatal(err)
	}
	defer target.Close()
	if _, err := io.Copy(target, source); err != nil {
		t.Fatal(err)
	}
}

// run runs a program as the account, which must succeed, and returns what it says on each stream.
func (a account) run(t *testing.T, name string, args ...string) (stdout, stderr string) {
	t.Helper()
	command := exec.CommandContext(t.Context(), a.find(name), args...)
	command.Dir, command.Env = a.home, a.env
	var out, problems bytes.Buffer
	command.Stdout, command.Stderr = &out, &problems
	if os.Getuid() == 0 {
		command.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
	}
	if err := command.Run(); err != nil {
		t.Fatalf("%s %s: %v\n%s%s", name, strings.Join(args, " "), err, out.String(), problems.String())
	}
	return out.String(), problems.String()
}

// find looks in the account's PATH, where os/exec would look in ours.
func (a account) find(name string) string {
	for _, folder := range append(filepath.SplitList(a.path()), "/usr/bin", "/bin") {
		if _, err := os.Stat(filepath.Join(folder, name)); err == nil {
			return filepath.Join(folder, name)
		}
	}
	return name
}

func (a account) path() string {
	for _, variable := range a.env {
		if path, found := strings.CutPrefix(variable, "PATH="); found {
			return path
		}
	}
	return ""
}

// provePlugin has kubectl run the plugin in the ways that need no cluster.
func (a account) provePlugin(t *testing.T) {
	t.Helper()
	for _, test := range []struct{ args, want string }{
		{"mesh version", "Istio charts 1."},
		{"mesh --help", "install-primary"},
		{"mesh completion bash", "__start_kubectl-mesh"},
		{"plugin list", "kubectl-mesh"},
	} {
		out, problems := a.run(t, "kubectl", strings.Fields(test.args)...)
		if !strings.Contains(out, test.want) {
			t.Errorf("kubectl %s does not say %q:\n%s", test.args, test.want, out)
		}
		if problems != "" {
			t.Errorf("kubectl %s complains:\n%s", test.args, problems)
		}
	}
}

// proveCompletion does what the manifest's caveats say, and asks kubectl what it would complete.
func (a account) proveCompletion(t *testing.T, folder string) {
	t.Helper()
	shim, _ := a.run(t, "kubectl", "mesh", "completion", "kubectl")
	if err := os.WriteFile(filepath.Join(folder, "kubectl_complete-mesh"), []byte(shim), 0o755); err != nil {
		t.Fatal(err)
	}
	if out, _ := a.run(t, "kubectl", "__complete", "mesh", "install-"); !strings.Contains(out, "install-primary") {
		t.Errorf("kubectl does not complete `mesh install-`:\n%s", out)
	}
}
