package memapi_test

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/envtest"

	ecsv1alpha1 "heliumai.space/ecsrelease/api/v1alpha1"
	"heliumai.space/ecsrelease/internal/memapi"
)

// assetsVariable names the directory with the programs of the control plane.
const assetsVariable = "KUBEBUILDER_ASSETS"

var crds = filepath.Join("..", "..", "config", "crd", "bases")

// endpoint is how to reach a server.
type endpoint struct {
	config *rest.Config
	// forget makes the server forget what was before.
	forget func()
}

// both are the two servers that are compared.
type both struct {
	servers map[string]func(*testing.T) endpoint
	scheme  *runtime.Scheme
	mapper  meta.RESTMapper
}

func newBoth(t *testing.T) *both {
	kinds, scheme := newKinds(t), newScheme(t)
	plane := &envtest.Environment{CRDDirectoryPaths: []string{crds}, ErrorIfCRDPathMissing: true, BinaryAssetsDirectory: controlPlane(t)}
	config, err := plane.Start()
	if err != nil {
		t.Fatalf("starting the control plane: %v", err)
	}
	t.Cleanup(func() {
		if err := plane.Stop(); err != nil {
			t.Errorf("stopping the control plane: %v", err)
		}
	})
	config.QPS = -1
	config.ContentType, config.AcceptContentTypes = runtime.ContentTypeJSON, runtime.ContentTypeJSON
	return &both{
		scheme: scheme,
		mapper: kinds.Mapper(),
		servers: map[string]func(*testing.T) endpoint{
			"memapi": func(*testing.T) endpoint {
				s := memapi.New(memapi.Options{Kinds: kinds})
				return endpoint{config: s.Config("conformance"), forget: s.Compact}
			},
			// It remembers nothing from before it served the CRDs.
			"kube-apiserver": func(*testing.T) endpoint { return endpoint{config: config, forget: func() {}} },
		},
	}
}

// compiled are the kinds of the project, which all servers share.
var compiled = sync.OnceValues(func() (*memapi.Kinds, error) {
	read, err := memapi.ReadCRDs(crds)
	if err != nil {
		return nil, err
	}
	return memapi.NewKinds(read...)
})

func newKinds(t *testing.T) *memapi.Kinds {
	t.Helper()
	kinds, err := compiled()
	if err != nil {
		t.Fatal(err)
	}
	return kinds
}

func newScheme(t *testing.T) *runtime.Scheme {
	t.Helper()
	scheme := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{clientgoscheme.AddToScheme, ecsv1alpha1.AddToScheme} {
		if err := add(scheme); err != nil {
			t.Fatal(err)
		}
	}
	return scheme
}

// controlPlane is the directory with the control plane's programs. Half of the comparison is
// missing without them, so that is an error and never a reason to skip.
func controlPlane(t *testing.T) string {
	t.Helper()
	assets := os.Getenv(assetsVariable)
	if assets == "" {
		t.Fatalf("%s is not set: this test needs kube-apiserver and etcd; run `make test`, which builds them and sets it", assetsVariable)
	}
	for _, program := range []string{"kube-apiserver", "etcd"} {
		if _, err := os.Stat(filepath.Join(assets, program)); err != nil {
			t.Fatalf("%s=%s has no %s (%v); run `make test`, which builds it", assetsVariable, assets, program, err)
		}
	}
	return assets
}

// api is one server as a sentence sees it: through a client, with a namespace of its own.
type api struct {
	client.WithWatch
	endpoint
	http      *http.Client
	namespace string
	heard     *transcript
}

// open makes a client that writes down what it hears, and the namespace of sentence i.
func (b *both) open(t *testing.T, e endpoint, i int) *api {
	t.Helper()
	plain, err := rest.HTTPClientFor(e.config)
	if err != nil {
		t.Fatal(err)
	}
	a := &api{endpoint: e, namespace: fmt.Sprintf("sentence-%d", i), heard: newTranscript(plain.Transport)}
	a.http = &http.Client{Transport: a.heard}
	if a.WithWatch, err = client.NewWithWatch(e.config, client.Options{HTTPClient: a.http, Scheme: b.scheme, Mapper: b.mapper}); err != nil {
		t.Fatal(err)
	}
	a.creates(t, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: a.namespace}})
	return a
}

// release is a valid one.
func (a *api) release(name string) *ecsv1alpha1.EcsRelease {
	return &ecsv1alpha1.EcsRelease{
		ObjectMeta: metav1.ObjectMeta{Namespace: a.namespace, Name: name},
		Spec: ecsv1alpha1.EcsReleaseSpec{
			Image:    "helium-backend:v128",
			Services: []ecsv1alpha1.Service{{Name: "backend"}},
			Targets:  []ecsv1alpha1.Target{{Name: "mumbai", Region: "ap-south-1", Cluster: "helium-mumbai-cluster"}},
		},
	}
}

// document is the same as a document, for what the types can't say.
func (a *api) document(name string) *unstructured.Unstructured {
	return &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": ecsv1alpha1.GroupVersion.String(),
		"kind":       "EcsRelease",
		"metadata":   map[string]any{"namespace": a.namespace, "name": name},
		"spec": map[string]any{
			"image":    "helium-backend:v128",
			"services": []any{map[string]any{"name": "backend"}},
			"targets":  []any{map[string]any{"name": "mumbai", "region": "ap-south-1", "cluster": "helium-mumbai-cluster"}},
		},
	}}
}

// creates makes objects; that must succeed.
func (a *api) creates(t *testing.T, objects ...client.Object) {
	t.Helper()
	for _, object := range objects {
		if err := a.Create(t.Context(), object); err != nil {
			t.Fatalf("creating %T %s: %v", object, object.GetName(), err)
		}
	}
}

// created makes a release and is what came of it.
func (a *api) created(t *testing.T, name string) *ecsv1alpha1.EcsRelease {
	t.Helper()
	release := a.release(name)
	a.creates(t, release)
	return release
}

// now is the release as it is.
func (a *api) now(t *testing.T, name string) *ecsv1alpha1.EcsRelease {
	t.Helper()
	var release ecsv1alpha1.EcsRelease
	if err := a.Get(t.Context(), client.ObjectKey{Namespace: a.namespace, Name: name}, &release); err != nil {
		t.Fatal(err)
	}
	return &release
}

// do is a call as it is on the wire. Its path is below the server, its body JSON.
func (a *api) do(t *testing.T, method, path, contentType, body string) (status int, answer []byte) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, a.base()+path, bytes.NewReader([]byte(body)))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", contentType)
	request.Header.Set("Accept", runtime.ContentTypeJSON)
	response, err := a.http.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }() // it was read to its end
	if answer, err = io.ReadAll(response.Body); err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, answer
}

// releases is the path of the namespace's releases.
func (a *api) releases() string {
	return "/apis/" + ecsv1alpha1.GroupVersion.String() + "/namespaces/" + a.namespace + "/ecsreleases"
}

func (a *api) base() string {
	url, _, err := rest.DefaultServerUrlFor(a.config)
	if err != nil {
		panic(err) // clients were made of it
	}
	return url.Scheme + "://" + url.Host
}

// must fails the test unless a call did what it should.
func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// refused fails the test unless a call failed as it should.
func refused(t *testing.T, err error, as func(error) bool, what string) {
	t.Helper()
	if !as(err) {
		t.Errorf("%s: it was answered with %v", what, err)
	}
}

// patience is how long a server may take for anything.
const patience = 20 * time.Second
