package main

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// Credentials are the files in <data dir>/pki that a control plane needs. All
// are readable by their owner only.
type credentials struct {
	dir string

	// The authority and the service account key are made once and kept: what
	// they signed must stay valid when the control plane is started again.
	ca                         *authority
	caFile                     string // the certificate only, without the key
	serviceAccountKeyFile      string
	adminToken, managerToken   string
	tokenFile                  string // both tokens, as kube-apiserver reads them
	servingCert, servingKey    string // kube-apiserver
	etcdCertFile, etcdKeyFile  string // etcd as server and as peer
	etcdClientCert, etcdClient string // kube-apiserver as client of etcd
}

// ensureCredentials completes dir: the authority, the service account key and
// the tokens are made where they are absent, the certificates anew each time.
func ensureCredentials(dir string) (*credentials, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	c := &credentials{
		dir:                   dir,
		caFile:                filepath.Join(dir, "ca.crt"),
		serviceAccountKeyFile: filepath.Join(dir, "service-account.key"),
		tokenFile:             filepath.Join(dir, "tokens.csv"),
		servingCert:           filepath.Join(dir, "kube-apiserver.crt"),
		servingKey:            filepath.Join(dir, "kube-apiserver.key"),
		etcdCertFile:          filepath.Join(dir, "etcd.crt"),
		etcdKeyFile:           filepath.Join(dir, "etcd.key"),
		etcdClientCert:        filepath.Join(dir, "etcd-client.crt"),
		etcdClient:            filepath.Join(dir, "etcd-client.key"),
	}
	var err error
	if c.ca, err = ensureAuthority(c.caFile, filepath.Join(dir, "ca.key")); err != nil {
		return nil, err
	}
	if err := c.ensureServiceAccountKey(); err != nil {
		return nil, err
	}
	if err := c.ensureTokens(); err != nil {
		return nil, err
	}
	for _, leaf := range []struct {
		spec      leafSpec
		cert, key string
	}{
		{apiServerLeaf, c.servingCert, c.servingKey},
		{etcdLeaf, c.etcdCertFile, c.etcdKeyFile},
		{etcdClientLeaf, c.etcdClientCert, c.etcdClient},
	} {
		if err := c.ca.issueFiles(leaf.spec, leaf.cert, leaf.key); err != nil {
			return nil, err
		}
	}
	return c, nil
}

func (c *credentials) ensureServiceAccountKey() error {
	_, err := os.Stat(c.serviceAccountKeyFile)
	if !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	key, err := newKey()
	if err != nil {
		return fmt.Errorf("making the service account key: %w", err)
	}
	return writeKey(c.serviceAccountKeyFile, key)
}

// ensureTokens reads or makes the tokens of the administrator and of
// kube-controller-manager and writes the table that kube-apiserver
// authenticates them by. Both are in system:masters: the administrator because
// that is what an administrator is, the manager because its own role expects
// one service account per controller, which would only add moving parts here.
func (c *credentials) ensureTokens() error {
	var err error
	if c.adminToken, err = ensureToken(filepath.Join(c.dir, "admin.token")); err != nil {
		return err
	}
	if c.managerToken, err = ensureToken(filepath.Join(c.dir, "kube-controller-manager.token")); err != nil {
		return err
	}
	table := fmt.Sprintf("%s,kubebox-admin,kubebox-admin,system:masters\n%s,system:kube-controller-manager,system:kube-controller-manager,system:masters\n",
		c.adminToken, c.managerToken)
	return writeFileAtomic(c.tokenFile, []byte(table))
}

func ensureToken(path string) (string, error) {
	switch b, err := os.ReadFile(path); {
	case err == nil:
		token := strings.TrimSpace(string(b))
		if raw, err := hex.DecodeString(token); err != nil || len(raw) < 16 {
			return "", fmt.Errorf("%s does not hold a token of kubebox: remove it to have a new one made", path)
		}
		return token, nil
	case !errors.Is(err, fs.ErrNotExist):
		return "", err
	}
	raw := make([]byte, 32)
	rand.Read(raw) // never fails: crypto/rand ends the program instead
	token := hex.EncodeToString(raw)
	return token, writeFileAtomic(path, []byte(token+"\n"))
}

// writeFileAtomic writes data to path for its owner only, so that a reader
// sees the old content or the new, whenever the process dies.
func writeFileAtomic(path string, data []byte) error {
	tmp, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*") // 0600
	if err != nil {
		return err
	}
	_, err = tmp.Write(data)
	err = errors.Join(err, tmp.Close())
	if err == nil {
		err = os.Rename(tmp.Name(), path)
	}
	if err != nil {
		return errors.Join(fmt.Errorf("writing %s: %w", path, err), os.Remove(tmp.Name()))
	}
	return nil
}
