package main

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
)

// A box is a running "kubebox up".
type box struct {
	config *rest.Config
	client *kubernetes.Clientset

	command *exec.Cmd
	stdout  *bufio.Scanner
	said    []string
	stderr  bytes.Buffer
}

// startBox returns when the control plane says that it is ready.
func startBox(t *testing.T, dataDir string, args ...string) *box {
	t.Helper()
	b := launch(t, append([]string{"--data-dir", dataDir}, args...)...)
	kubeconfig, ok := b.readUntil("export KUBECONFIG=")
	if !ok {
		t.Fatalf("not ready: %v\n%s\n%s", b.command.Wait(), strings.Join(b.said, "\n"), &b.stderr)
	}
	t.Log(strings.Join(b.said, "\n"))
	var err error
	if b.config, err = clientcmd.BuildConfigFromFlags("", kubeconfig); err != nil {
		t.Fatal(err)
	}
	b.config.QPS = -1
	if b.client, err = kubernetes.NewForConfig(b.config); err != nil {
		t.Fatal(err)
	}
	return b
}

// launch starts "kubebox up args..." and kills it at the end of the test if it
// is still there.
func launch(t *testing.T, args ...string) *box {
	t.Helper()
	b := &box{command: kubebox(t, append([]string{"up"}, args...)...)}
	b.command.Stderr = &b.stderr
	stdout, err := b.command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	b.stdout = bufio.NewScanner(stdout)
	if err := b.command.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if b.command.ProcessState == nil {
			b.command.Process.Kill()
			b.command.Wait()
		}
	})
	return b
}

// readUntil reads lines until one starts with the prefix and returns its rest.
func (b *box) readUntil(prefix string) (string, bool) {
	for b.stdout.Scan() {
		b.said = append(b.said, b.stdout.Text())
		if rest, ok := strings.CutPrefix(b.stdout.Text(), prefix); ok {
			return rest, true
		}
	}
	return "", false
}

// stop sends the signals, one right after the other, and expects that the
// process ends as told.
func (b *box) stop(t *testing.T, signals ...os.Signal) {
	t.Helper()
	started := time.Now()
	for _, signal := range signals {
		if err := b.command.Process.Signal(signal); err != nil {
			t.Fatal(err)
		}
	}
	_, stopped := b.readUntil("stopped")
	if err := b.command.Wait(); err != nil || !stopped {
		t.Errorf("after %v: %v\n%s\n%s", signals, err, strings.Join(b.said, "\n"), &b.stderr)
	}
	if b.stderr.Len() > 0 {
		t.Errorf("standard error is for our own errors, got %s", &b.stderr)
	}
	t.Logf("stopped in %.1fs", time.Since(started).Seconds())
}

// eventually polls until the condition returns nil, for a minute.
func eventually(t *testing.T, condition func() error) {
	t.Helper()
	deadline := time.Now().Add(time.Minute)
	for {
		err := condition()
		if err == nil {
			return
		}
		if time.Now().After(deadline) {
			t.Fatal(err)
		}
		time.Sleep(50 * time.Millisecond)
	}
}

func TestObjectsAndCredentialsOutliveARestart(t *testing.T) {
	ctx := t.Context()
	dataDir := filepath.Join(t.TempDir(), strings.Repeat("long", 20)) // longer than a socket's path may be
	first := startBox(t, dataDir)
	_, err := first.client.CoreV1().ConfigMaps("default").Create(ctx, &corev1.ConfigMap{
		ObjectMeta: metav1.ObjectMeta{Name: "kept"}, Data: map[string]string{"v": "1"},
	}, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	first.stop(t, syscall.SIGTERM)

	second := startBox(t, dataDir)
	// The credentials that the first run handed out, at the address of the second.
	first.config.Host = second.config.Host
	client, err := kubernetes.NewForConfig(first.config)
	if err != nil {
		t.Fatal(err)
	}
	kept, err := client.CoreV1().ConfigMaps("default").Get(ctx, "kept", metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if kept.Data["v"] != "1" {
		t.Errorf("data %v", kept.Data)
	}

	t.Run("as they do a kill", func(t *testing.T) {
		if err := second.command.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		second.command.Wait()
		third := startBox(t, dataDir)
		if _, err := third.client.CoreV1().ConfigMaps("default").Get(ctx, "kept", metav1.GetOptions{}); err != nil {
			t.Error(err)
		}
		third.stop(t, syscall.SIGINT)
	})
}

func TestDataDirectoryIsUsedByOneAtATime(t *testing.T) {
	dataDir := t.TempDir()
	unlock, err := lockDataDir(dataDir)
	if err != nil {
		t.Fatal(err)
	}
	expectFailure(t, "another kubebox runs on "+dataDir, "--data-dir", dataDir)
	unlock()
	unlock, err = lockDataDir(dataDir)
	if err != nil {
		t.Errorf("after the first has left: %v", err)
	} else {
		unlock()
	}
}

func TestPortInUseIsToldAndLeavesNothingRunning(t *testing.T) {
	taken, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	port := fmt.Sprint(taken.Addr().(*net.TCPAddr).Port)
	dataDir := t.TempDir()
	expectFailure(t, "address already in use", "--data-dir", dataDir, "--port", port)
	if _, err := os.Stat(filepath.Join(dataDir, "kubeconfig")); err == nil {
		t.Error("there is a kubeconfig of a control plane that never served")
	}
}

func TestTooSlowAStartNamesWhatItWaitedFor(t *testing.T) {
	expectFailure(t, "deadline exceeded", "--data-dir", t.TempDir(), "--ready-timeout", "1ms")
}

func TestSignalDuringTheStartEndsItCleanly(t *testing.T) {
	b := launch(t, "--data-dir", t.TempDir())
	if _, ok := b.readUntil("etcd serves"); !ok {
		t.Fatalf("%s", &b.stderr)
	}
	b.stop(t, syscall.SIGTERM)
}

func TestWithoutControllersNamespacesGetNoServiceAccount(t *testing.T) {
	b := startBox(t, t.TempDir(), "--with-controller-manager=false")
	// Pods do without one then, so that nothing waits for it in vain.
	_, err := b.client.CoreV1().Pods("default").Create(t.Context(), &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Name: "p"},
		Spec:       corev1.PodSpec{Containers: []corev1.Container{{Name: "c", Image: "example.com/c:1"}}},
	}, metav1.CreateOptions{})
	if err != nil {
		t.Error(err)
	}
	_, err = b.client.CoreV1().ServiceAccounts("default").Get(t.Context(), "default", metav1.GetOptions{})
	if !apierrors.IsNotFound(err) {
		t.Errorf("error %v, want that there is none", err)
	}
	b.stop(t, syscall.SIGTERM)
}

// expectFailure runs "kubebox up args..." and expects it to fail by itself,
// with the text on standard error.
func expectFailure(t *testing.T, want string, args ...string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	b := launch(t, args...)
	context.AfterFunc(ctx, func() { b.command.Process.Kill() })
	b.readUntil("\x00") // to its end
	err := b.command.Wait()
	if status := b.command.ProcessState.ExitCode(); status != exitFailure || !strings.Contains(b.stderr.String(), want) {
		t.Errorf("%v, standard error %q, want exit status %d and %q", err, &b.stderr, exitFailure, want)
	}
}
