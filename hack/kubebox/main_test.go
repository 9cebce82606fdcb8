package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// runAsKubebox makes the test binary be kubebox itself, so that the tests run
// what main runs, as a process, without a second build.
const runAsKubebox = "KUBEBOX_TEST_RUN_AS_KUBEBOX"

func TestMain(m *testing.M) {
	if os.Getenv(runAsKubebox) != "" {
		main()
	}
	os.Exit(m.Run())
}

// kubebox is the command "kubebox args...".
func kubebox(t *testing.T, args ...string) *exec.Cmd {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	command := exec.Command(self, args...)
	command.Env = append(os.Environ(), runAsKubebox+"=1")
	return command
}

func TestAppletIsChosenByProgramNameOrFirstArgument(t *testing.T) {
	for _, c := range []struct {
		name, applet string
		argv, args   []string
	}{
		{name: "a link named as a program is that program", argv: []string{"/assets/kube-apiserver", "--version"}, applet: "kube-apiserver", args: []string{"--version"}},
		{name: "also without arguments", argv: []string{"etcd"}, applet: "etcd", args: []string{}},
		{name: "kubebox takes it from the first argument", argv: []string{"bin/kubebox", "kubectl", "get", "up"}, applet: "kubectl", args: []string{"get", "up"}},
		{name: "up is no name of a link", argv: []string{"/usr/bin/up", "version"}, applet: "version", args: []string{}},
		{name: "kubebox alone chooses nothing", argv: []string{"kubebox"}},
		{name: "nor does nothing at all"},
	} {
		t.Run(c.name, func(t *testing.T) {
			applet, args := selectApplet(c.argv)
			if applet != c.applet {
				t.Errorf("applet = %q, want %q", applet, c.applet)
			}
			if diff := cmp.Diff(c.args, args); diff != "" {
				t.Errorf("arguments (-want +got):\n%s", diff)
			}
		})
	}
}

func TestEveryLinkableNameIsAnApplet(t *testing.T) {
	for name := range linkable {
		if applets()[name] == nil {
			t.Errorf("no applet %q", name)
		}
	}
}

func TestUsageErrorsExitWithTwoAndHelpWithZero(t *testing.T) {
	for _, c := range []struct {
		argv           []string
		want           int
		stdout, stderr string
	}{
		{argv: []string{"kubebox"}, want: exitUsage, stderr: "Usage:"},
		{argv: []string{"kubebox", "down"}, want: exitUsage, stderr: `unknown command "down"`},
		{argv: []string{"kubebox", "--help"}, want: exitOK, stdout: "Usage:"},
	} {
		t.Run(strings.Join(c.argv, " "), func(t *testing.T) {
			var stdout, stderr bytes.Buffer
			if got := dispatch(c.argv, &stdout, &stderr); got != c.want {
				t.Errorf("exit status %d, want %d", got, c.want)
			}
			if !strings.Contains(stdout.String(), c.stdout) || !strings.Contains(stderr.String(), c.stderr) {
				t.Errorf("stdout %q, stderr %q, want them to contain %q and %q", &stdout, &stderr, c.stdout, c.stderr)
			}
		})
	}
}

func TestFlagsOfUpAreCheckedBeforeAnythingIsDone(t *testing.T) {
	for _, c := range []struct {
		name string
		args []string
		want string
	}{
		{name: "no data directory", want: "--data-dir is required"},
		{name: "impossible port", args: []string{"--data-dir", "d", "--port", "65536"}, want: "--port 65536 is not a port"},
		{name: "left-over words", args: []string{"--data-dir", "d", "now"}, want: `takes no arguments, got ["now"]`},
		{name: "no time at all", args: []string{"--data-dir", "d", "--ready-timeout", "0s"}, want: "--ready-timeout 0s is not a positive duration"},
		{name: "unknown flag", args: []string{"--dir", "d"}, want: "unknown flag: --dir"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := parseUpFlags(c.args, &bytes.Buffer{})
			if err == nil || err.Error() != c.want {
				t.Errorf("error %v, want %q", err, c.want)
			}
		})
	}
}

func TestKubeconfigIsInTheDataDirectoryUnlessToldOtherwise(t *testing.T) {
	t.Chdir(t.TempDir())
	here, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	o, err := parseUpFlags([]string{"--data-dir", "box"}, &bytes.Buffer{})
	if err != nil {
		t.Fatal(err)
	}
	if want := filepath.Join(here, "box", "kubeconfig"); o.kubeconfig != want {
		t.Errorf("kubeconfig %s, want %s", o.kubeconfig, want)
	}
	o, err = parseUpFlags([]string{"--data-dir", "box", "--kubeconfig", "k"}, &bytes.Buffer{})
	if err != nil {
		t.Fatal(err)
	}
	if want := filepath.Join(here, "k"); o.kubeconfig != want {
		t.Errorf("kubeconfig %s, want %s", o.kubeconfig, want)
	}
}

func TestLinksAreThePrograms(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	for _, c := range []struct {
		program, want string
		args          []string
	}{
		{program: "etcd", args: []string{"--version"}, want: "etcd Version: 3.7"},
		{program: "kube-apiserver", args: []string{"--version"}, want: "Kubernetes v"},
		{program: "kube-controller-manager", args: []string{"--version"}, want: "Kubernetes v"},
		{program: "kubectl", args: []string{"apply", "--help"}, want: "kubectl apply"},
	} {
		t.Run(c.program, func(t *testing.T) {
			link := filepath.Join(dir, c.program)
			if err := os.Symlink(self, link); err != nil {
				t.Fatal(err)
			}
			command := exec.Command(link, c.args...)
			command.Env = append(os.Environ(), runAsKubebox+"=1")
			out, err := command.CombinedOutput()
			if err != nil || !strings.Contains(string(out), c.want) {
				t.Errorf("%v: %v\n%s\nwant it to say %q", command.Args, err, out, c.want)
			}
		})
	}
}
