package main

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"k8s.io/client-go/tools/clientcmd"
)

func TestCredentialsSurviveARestartAndCertificatesAreMadeAnew(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "pki")
	first, err := ensureCredentials(dir)
	if err != nil {
		t.Fatal(err)
	}
	kept := []string{"ca.crt", "ca.key", "service-account.key", "admin.token", "kube-controller-manager.token", "tokens.csv"}
	renewed := []string{"kube-apiserver.crt", "kube-apiserver.key", "etcd.crt", "etcd.key", "etcd-client.crt", "etcd-client.key"}
	before := readAll(t, dir)
	second, err := ensureCredentials(dir)
	if err != nil {
		t.Fatal(err)
	}
	after := readAll(t, dir)

	for _, name := range kept {
		if before[name] == "" || before[name] != after[name] {
			t.Errorf("%s is absent or has changed", name)
		}
	}
	for _, name := range renewed {
		if before[name] == "" || before[name] == after[name] {
			t.Errorf("%s is absent or was not made anew", name)
		}
	}
	if len(after) != len(kept)+len(renewed) {
		t.Errorf("%d files, want %d: is one not cleaned away?", len(after), len(kept)+len(renewed))
	}
	if first.adminToken != second.adminToken || first.adminToken == first.managerToken {
		t.Error("the administrator's token has changed, or is the manager's")
	}
}

func TestCredentialsAreForTheirOwnerOnly(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "pki")
	if _, err := ensureCredentials(dir); err != nil {
		t.Fatal(err)
	}
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := entry.Info()
		if err != nil {
			return err
		}
		if info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s has mode %s", path, info.Mode())
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestDamagedCredentialsAreToldAndNotReplaced(t *testing.T) {
	for _, c := range []struct {
		name   string
		damage func(t *testing.T, dir string)
		want   string
	}{
		{name: "key of the authority lost", want: "ca.key", damage: func(t *testing.T, dir string) {
			if err := os.Remove(filepath.Join(dir, "ca.key")); err != nil {
				t.Fatal(err)
			}
		}},
		{name: "key of another authority", want: "is not the key of", damage: func(t *testing.T, dir string) {
			key, err := newKey()
			if err != nil {
				t.Fatal(err)
			}
			if err := writeKey(filepath.Join(dir, "ca.key"), key); err != nil {
				t.Fatal(err)
			}
		}},
		{name: "certificate cut short", want: "does not hold a PEM block", damage: func(t *testing.T, dir string) {
			if err := os.WriteFile(filepath.Join(dir, "ca.crt"), []byte("-----BEGIN"), 0o600); err != nil {
				t.Fatal(err)
			}
		}},
		{name: "empty token", want: "does not hold a token", damage: func(t *testing.T, dir string) {
			if err := os.WriteFile(filepath.Join(dir, "admin.token"), nil, 0o600); err != nil {
				t.Fatal(err)
			}
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "pki")
			if _, err := ensureCredentials(dir); err != nil {
				t.Fatal(err)
			}
			c.damage(t, dir)
			before := readAll(t, dir)
			_, err := ensureCredentials(dir)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, want one with %q", err, c.want)
			}
			if before["ca.crt"] != readAll(t, dir)["ca.crt"] {
				t.Error("the authority was replaced")
			}
		})
	}
}

func TestServingCertificateIsTrustedByTheNamesClientsUse(t *testing.T) {
	creds, err := ensureCredentials(filepath.Join(t.TempDir(), "pki"))
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AddCert(creds.ca.cert)
	pair, err := tls.LoadX509KeyPair(creds.servingCert, creds.servingKey)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"127.0.0.1", "localhost", "kubernetes.default.svc", "10.0.0.1"} {
		if _, err := pair.Leaf.Verify(x509.VerifyOptions{Roots: roots, DNSName: name}); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := pair.Leaf.Verify(x509.VerifyOptions{Roots: roots, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}}); err == nil {
		t.Error("the serving certificate would do as a client's, and so open etcd")
	}
}

func TestEtcdCertificatesAuthenticateBothSides(t *testing.T) {
	creds, err := ensureCredentials(filepath.Join(t.TempDir(), "pki"))
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AddCert(creds.ca.cert)
	server, err := tls.LoadX509KeyPair(creds.etcdCertFile, creds.etcdKeyFile)
	if err != nil {
		t.Fatal(err)
	}
	client, err := tls.LoadX509KeyPair(creds.etcdClientCert, creds.etcdClient)
	if err != nil {
		t.Fatal(err)
	}
	near, far := net.Pipe()
	defer near.Close()
	served := make(chan error, 1)
	go func() {
		defer far.Close()
		conn := tls.Server(far, &tls.Config{Certificates: []tls.Certificate{server}, ClientCAs: roots, ClientAuth: tls.RequireAndVerifyClientCert})
		_, err := conn.Write([]byte("hello"))
		served <- errors.Join(err, conn.Close())
	}()
	conn := tls.Client(near, &tls.Config{Certificates: []tls.Certificate{client}, RootCAs: roots, ServerName: "127.0.0.1"})
	if said, err := io.ReadAll(conn); err != nil || string(said) != "hello" {
		t.Errorf("heard %q, %v", said, err)
	}
	near.Close()
	if err := <-served; err != nil {
		t.Errorf("serving: %v", err)
	}
}

func TestKubeconfigOpensTheServerWithTheToken(t *testing.T) {
	dir := t.TempDir()
	creds, err := ensureCredentials(filepath.Join(dir, "pki"))
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "deep", "kubeconfig")
	if err := writeKubeconfig(path, "https://127.0.0.1:4242", creds.caFile, creds.adminToken); err != nil {
		t.Fatal(err)
	}
	config, err := clientcmd.BuildConfigFromFlags("", path)
	if err != nil {
		t.Fatal(err)
	}
	ca, err := os.ReadFile(creds.caFile)
	if err != nil {
		t.Fatal(err)
	}
	if config.Host != "https://127.0.0.1:4242" || config.BearerToken != creds.adminToken || string(config.CAData) != string(ca) {
		t.Errorf("host %s; is token or authority another one?", config.Host)
	}
	if err := removeKubeconfig(path); err != nil {
		t.Errorf("removing our own kubeconfig: %v", err)
	}
	if err := removeKubeconfig(path); err != nil {
		t.Errorf("removing it again: %v", err)
	}
}

func TestForeignKubeconfigIsLeftAlone(t *testing.T) {
	path := filepath.Join(t.TempDir(), "config")
	if err := os.WriteFile(path, []byte("apiVersion: v1\nkind: Config\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := removeKubeconfig(path); err == nil || !strings.Contains(err.Error(), "was not written by kubebox") {
		t.Errorf("error %v", err)
	}
	if _, err := os.Stat(path); err != nil {
		t.Error(err)
	}
}

// readAll returns the content of the files in dir by their names.
func readAll(t *testing.T, dir string) map[string]string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	files := map[string]string{}
	for _, entry := range entries {
		b, err := os.ReadFile(filepath.Join(dir, entry.Name()))
		if err != nil {
			t.Fatal(err)
		}
		files[entry.Name()] = string(b)
	}
	return files
}
