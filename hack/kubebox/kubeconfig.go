package main

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
)

// kubeconfigHeader marks the files that kubebox may overwrite and remove.
const kubeconfigHeader = "# Written by kubebox; it is removed and written again when kubebox starts.\n"

// writeKubeconfig writes a kubeconfig whose one context, "kubebox", is the
// server at url seen by the owner of token. The authority's certificate is in
// it, so the file can be copied. Missing directories are made.
func writeKubeconfig(path, url, caFile, token string) error {
	ca, err := os.ReadFile(caFile)
	if err != nil {
		return err
	}
	const name = "kubebox"
	config := clientcmdapi.NewConfig()
	config.Clusters[name] = &clientcmdapi.Cluster{Server: url, CertificateAuthorityData: ca}
	config.AuthInfos[name] = &clientcmdapi.AuthInfo{Token: token}
	config.Contexts[name] = &clientcmdapi.Context{Cluster: name, AuthInfo: name}
	config.CurrentContext = name
	b, err := clientcmd.Write(*config)
	if err != nil {
		return fmt.Errorf("encoding the kubeconfig %s: %w", path, err)
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	return writeFileAtomic(path, append([]byte(kubeconfigHeader), b...))
}

// removeKubeconfig removes what an earlier run wrote to path, so that the file
// is there exactly when a control plane has answered behind it. Nothing there
// is fine; a file that kubebox did not write is an error and stays.
func removeKubeconfig(path string) error {
	b, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if !bytes.HasPrefix(b, []byte(kubeconfigHeader)) {
		return fmt.Errorf("%s was not written by kubebox and is left alone: choose another --kubeconfig", path)
	}
	return os.Remove(path)
}
