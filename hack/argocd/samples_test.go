package main

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/argoproj/argo-cd/v3/pkg/apis/application/v1alpha1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/yaml"
	strict "sigs.k8s.io/yaml"
)

// What the manifest repository has for Argo CD is of Argo CD's own kinds, without a field that it
// would ignore.
func TestTheSamplesAreArgoCDsOwnKinds(t *testing.T) {
	paths, err := filepath.Glob("../../config/samples/gitops/argocd/*.yaml")
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]int{}
	for _, path := range paths {
		if filepath.Base(path) == "kustomization.yaml" {
			continue
		}
		content, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, document := range split(t, content) {
			var kind metav1.TypeMeta
			if err := strict.Unmarshal(document, &kind); err != nil {
				t.Fatal(err)
			}
			found[kind.Kind]++
			switch kind.Kind {
			case "Application":
				var application v1alpha1.Application
				if err := strict.UnmarshalStrict(document, &application); err != nil {
					t.Errorf("%s: %v", path, err)
				}
				if !application.Spec.SyncPolicy.Automated.SelfHeal || application.Spec.Source.TargetRevision != "main" {
					t.Errorf("%s does not heal itself, or follows %s", path, application.Spec.Source.TargetRevision)
				}
			case "AppProject":
				var project v1alpha1.AppProject
				if err := strict.UnmarshalStrict(document, &project); err != nil {
					t.Errorf("%s: %v", path, err)
				}
				if err := project.ValidateProject(); err != nil {
					t.Errorf("%s: %v", path, err)
				}
				if len(project.Spec.ClusterResourceWhitelist) > 0 || len(project.Spec.NamespaceResourceWhitelist) != 2 {
					t.Errorf("%s lets more than releases and endpoints through", path)
				}
			default:
				t.Errorf("%s has a %s", path, kind.Kind)
			}
		}
	}
	if found["Application"] != 2 || found["AppProject"] != 2 {
		t.Errorf("the samples have %v, want two Applications and two AppProjects", found)
	}
}

// split are the documents of a YAML file.
func split(t *testing.T, content []byte) [][]byte {
	t.Helper()
	reader := yaml.NewYAMLReader(bufio.NewReader(bytes.NewReader(content)))
	var documents [][]byte
	for {
		document, err := reader.Read()
		if errors.Is(err, io.EOF) {
			return documents
		}
		if err != nil {
			t.Fatal(err)
		}
		documents = append(documents, document)
	}
}
