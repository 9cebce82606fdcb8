package main

import (
	"context"
	"fmt"
	"strings"
	"unicode"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	ecsv1alpha1 "heliumai.space/ecsrelease/api/v1alpha1"
	"heliumai.space/ecsrelease/internal/screen"
)

// cluster is the API server that the flags, or the kubeconfig, point to, and the namespace.
type cluster struct {
	client.WithWatch

	namespace string
}

// flags are those that say which cluster is meant and as whom, as they were given: what is suggested
// next must reach the same. A token is not repeated.
func (p *plugin) flags() screen.Flags {
	var flags screen.Flags
	for _, flag := range []struct {
		name  string
		value *string
	}{
		{"kubeconfig", p.kube.KubeConfig},
		{"context", p.kube.Context},
		{"cluster", p.kube.ClusterName},
		{"user", p.kube.AuthInfoName},
		{"server", p.kube.APIServer},
		{"as", p.kube.Impersonate},
		{"as-uid", p.kube.ImpersonateUID},
		{"certificate-authority", p.kube.CAFile},
		{"client-certificate", p.kube.CertFile},
		{"client-key", p.kube.KeyFile},
		{"tls-server-name", p.kube.TLSServerName},
	} {
		if *flag.value != "" {
			flags = append(flags, "--"+flag.name, quoted(*flag.value))
		}
	}
	if *p.kube.Insecure {
		flags = append(flags, "--insecure-skip-tls-verify")
	}
	for _, group := range *p.kube.ImpersonateGroup {
		flags = append(flags, "--as-group", quoted(group))
	}
	return flags
}

// quoted is a word as a shell takes it.
func quoted(word string) string {
	if !strings.ContainsFunc(word, func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsDigit(r) && !strings.ContainsRune("-_./:@%+=,", r)
	}) {
		return word
	}
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}

// connect finds the cluster. Nothing is asked of it yet, and no discovery is made: what there is to
// ask for is known.
func (p *plugin) connect() (*cluster, error) {
	config, err := p.kube.ToRESTConfig()
	if err != nil {
		return nil, fmt.Errorf("finding a cluster: %w", err)
	}
	namespace, _, err := p.kube.ToRawKubeConfigLoader().Namespace()
	if err != nil {
		return nil, fmt.Errorf("finding the namespace: %w", err)
	}
	scheme := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{corev1.AddToScheme, ecsv1alpha1.AddToScheme} {
		if err := add(scheme); err != nil {
			return nil, fmt.Errorf("building the scheme: %w", err)
		}
	}
	mapper := meta.NewDefaultRESTMapper(nil)
	mapper.Add(ecsv1alpha1.GroupVersion.WithKind(releases.name), meta.RESTScopeNamespace)
	mapper.Add(ecsv1alpha1.GroupVersion.WithKind(endpoints.name), meta.RESTScopeNamespace)
	mapper.Add(ecsv1alpha1.GroupVersion.WithKind("EcsEnvironment"), meta.RESTScopeRoot)
	mapper.Add(corev1.SchemeGroupVersion.WithKind("Event"), meta.RESTScopeNamespace)
	reached, err := client.NewWithWatch(config, client.Options{Scheme: scheme, Mapper: mapper})
	if err != nil {
		return nil, fmt.Errorf("making a client: %w", err)
	}
	return &cluster{reached, namespace}, nil
}

// find connects, and reads a release.
func (p *plugin) find(ctx context.Context, name string) (*cluster, *ecsv1alpha1.EcsRelease, error) {
	c, err := p.connect()
	if err != nil {
		return nil, nil, err
	}
	release, err := releases.get(ctx, c, name)
	return c, release, err
}
