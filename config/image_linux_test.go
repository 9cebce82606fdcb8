package config_test

import (
	"archive/tar"
	"compress/gzip"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"debug/buildinfo"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	goruntime "runtime"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	ecsv1alpha1 "heliumai.space/ecsrelease/api/v1alpha1"
	"heliumai.space/ecsrelease/internal/awssim"
	"heliumai.space/ecsrelease/internal/lab"
)

// TestTheImagesNeedNothingButThemselves runs what is in the images in roots that hold that and nothing
// else: no certificate authorities, no time zones, no /etc. AWS is reached over TLS with an
// authority of its own, and the environment has a window in Asia/Kolkata.
func TestTheImagesNeedNothingButThemselves(t *testing.T) {
	images := builtImages(t)
	authority := newAuthority(t)
	aws, refusals := furnishedBehind(t, authority)
	const namespace = "unfurnished"
	now := time.Now()
	opens := now.Add(2 * time.Hour).Truncate(time.Minute)
	kolkata := time.FixedZone("IST", 5*3600+1800)
	window := func(schedule string, hours int) string {
		return fmt.Sprintf(`[{effect: Allow, schedule: %q, durationSeconds: %d, timeZone: Asia/Kolkata}]`, schedule, hours*3600)
	}
	environment := func(windows string) []byte {
		return fmt.Appendf(nil, `{apiVersion: ecs.heliumai.space/v1alpha1, kind: EcsEnvironment, metadata: {name: %s}, spec: {
			namespaces: {names: [%s]}, aws: {accountID: %q, roleARN: %q, externalID: %q},
			destinations: [{region: ap-south-1, clusters: [helium-mumbai-cluster], services: ["*"]}],
			images: {requireLabels: {%s: [%s]}}, windows: %s}}`,
			namespace, namespace, lab.AccountID, lab.Role("production"), lab.ExternalID("production"), lab.BranchLabel, lab.Branch, windows)
	}
	release := fmt.Appendf(nil, `{apiVersion: ecs.heliumai.space/v1alpha1, kind: EcsRelease, metadata: {name: helium-backend, namespace: %s}, spec: {
		image: "helium-backend:v2", services: [{name: backend}], targets: [{name: mumbai, region: ap-south-1, cluster: helium-mumbai-cluster}]}}`, namespace)
	if _, err := aws.Push(t.Context(), "v2"); err != nil {
		t.Fatal(err)
	}
	createNamespaces(t, release)
	local := opens.In(kolkata)
	for _, manifest := range [][]byte{environment(window(fmt.Sprintf("%d %d * * *", local.Minute(), local.Hour()), 1)), release} {
		if _, err := shared.apply(t.Context(), manifest, "--server-side"); err != nil {
			t.Fatal(err)
		}
	}
	t.Cleanup(func() {
		remove(t, &ecsv1alpha1.EcsRelease{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "helium-backend"}})
		remove(t, &ecsv1alpha1.EcsEnvironment{ObjectMeta: metav1.ObjectMeta{Name: namespace}})
	})

	root := images["ecsrelease"]
	root.write(t, "kubeconfig", read(t, shared.kubeconfig))
	root.write(t, "ca.pem", authority.pem)
	manager := root.start(t, append(aws.ManagerEnvironment(), "AWS_CA_BUNDLE=/ca.pem", "KUBECONFIG=/kubeconfig"),
		"--leader-election-namespace=default", "--metrics-bind-address=127.0.0.1:0", "--health-probe-bind-address=0",
		"--in-flight-interval=200ms", "--sweep-interval=1s")
	condition := func(kind string) (*metav1.Condition, error) {
		if err := manager.alive(); err != nil {
			return nil, err
		}
		var found ecsv1alpha1.EcsRelease
		if err := shared.client.Get(t.Context(), client.ObjectKey{Namespace: namespace, Name: "helium-backend"}, &found); err != nil {
			return nil, err
		}
		if c := meta.FindStatusCondition(found.Status.Conditions, kind); c != nil {
			return c, nil
		}
		return nil, fmt.Errorf("there is no condition %s: %+v\n%s", kind, found.Status.Conditions, manager.log())
	}
	t.Run("the manager knows when it is which time in Kolkata", func(t *testing.T) {
		eventually(t, patience, func() error {
			c, err := condition(ecsv1alpha1.ConditionReady)
			if err != nil {
				return err
			}
			stamp := regexp.MustCompile(`from (\S+),`).FindStringSubmatch(c.Message)
			if c.Reason != ecsv1alpha1.ReasonOutsideWindow || stamp == nil {
				return fmt.Errorf("it says %s: %s", c.Reason, c.Message)
			}
			if from, err := time.Parse(time.RFC3339, stamp[1]); err != nil || !from.Equal(opens) {
				t.Fatalf("it says that the window opens at %s (%v), want %s: %s", from, err, opens.In(kolkata), c.Message)
			}
			return nil
		})
	})
	t.Run("and releases by AWS over TLS", func(t *testing.T) {
		if _, err := shared.apply(t.Context(), environment(window("0 0 * * *", 25)), "--server-side"); err != nil {
			t.Fatal(err)
		}
		eventually(t, patience, func() error {
			c, err := condition(ecsv1alpha1.ConditionReady)
			if err == nil && c.Status != metav1.ConditionTrue {
				err = fmt.Errorf("it is not Ready: %s: %s\n%s", c.Reason, c.Message, manager.log())
			}
			return err
		})
	})
	t.Run("the plugin waits for it", func(t *testing.T) {
		root := images["kubectl-ecsrelease"]
		root.write(t, "kubeconfig", read(t, shared.kubeconfig))
		plugin := root.start(t, []string{"KUBECONFIG=/kubeconfig"}, "wait", "helium-backend", "--namespace", namespace, "--timeout", "60s")
		if err := plugin.end(); err != nil {
			t.Fatalf("wait ends with %v:\n%s", err, plugin.log())
		}
	})
	t.Run("which it would not trust without its authority", func(t *testing.T) {
		manager.stop(t)
		if told := refusals.String(); told != "" {
			t.Errorf("AWS's certificate was refused by the manager that has its authority: %s", told)
		}
		root.start(t, append(aws.ManagerEnvironment(), "KUBECONFIG=/kubeconfig"),
			"--leader-elect=false", "--metrics-bind-address=0", "--health-probe-bind-address=0", "--in-flight-interval=200ms", "--sweep-interval=1s")
		eventually(t, patience, func() error {
			if !strings.Contains(refusals.String(), "remote error: tls: bad certificate") {
				return fmt.Errorf("AWS's certificate is not refused: %q", refusals.String())
			}
			return nil
		})
	})
}

// TestTheImagesAreWhatTheySay looks at what a registry and a scanner would see of them.
func TestTheImagesAreWhatTheySay(t *testing.T) {
	revision, err := exec.CommandContext(t.Context(), "git", "rev-parse", "HEAD").Output()
	if err != nil {
		t.Fatal(err)
	}
	for name, root := range builtImages(t) {
		if root.config.User != "65532:65532" {
			t.Errorf("%s runs as %q, want 65532:65532, as whom a restricted namespace takes it", name, root.config.User)
		}
		for label, want := range map[string]string{
			"source": "https://github.com/heliumai/ecsrelease", "revision": strings.TrimSpace(string(revision)), "version": "1.2.3", "licenses": "Apache-2.0",
		} {
			if got := root.config.Labels["org.opencontainers.image."+label]; got != want {
				t.Errorf("%s has the label %s %q, want %q", name, label, got, want)
			}
		}
		if len(root.files) != 1 || "/"+root.files[0] != root.config.Entrypoint[0] {
			t.Errorf("%s has the files %v and begins with %v, want one program that it begins with", name, root.files, root.config.Entrypoint)
		}
		info, err := buildinfo.ReadFile(filepath.Join(root.dir, root.files[0]))
		if err != nil {
			t.Fatal(err)
		}
		if !slices.ContainsFunc(info.Deps, func(m *debug.Module) bool { return m.Path == "golang.org/x/crypto/x509roots/fallback" }) {
			t.Errorf("%s has no certificate authorities in it", name)
		}
	}
}

// imageRoot is the file system of an image, in a directory.
type imageRoot struct {
	dir    string
	files  []string // relative to dir
	config struct {
		User            string
		Entrypoint, Env []string
		Labels          map[string]string
	}
}

// builtImages are the images of what is in this tree, for this machine's architecture, by their names.
func builtImages(t *testing.T) map[string]*imageRoot {
	t.Helper()
	program, layouts := filepath.Join(t.TempDir(), "images"), t.TempDir()
	release := filepath.Join("..", "hack", "release")
	if output, err := exec.CommandContext(t.Context(), "go", "-C", release, "build", "-o", program, "./images").CombinedOutput(); err != nil {
		t.Fatalf("building hack/release/images: %v\n%s", err, output)
	}
	cmd := exec.CommandContext(t.Context(), program, "--dir=..", "--layout="+layouts, "--version=1.2.3", "--platforms=linux/"+goruntime.GOARCH)
	if output, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("building the images: %v\n%s", err, output)
	}
	entries, err := os.ReadDir(layouts)
	if err != nil || len(entries) == 0 {
		t.Fatalf("there are no images: %v", err)
	}
	roots := map[string]*imageRoot{}
	for _, entry := range entries {
		roots[entry.Name()] = extracted(t, filepath.Join(layouts, entry.Name()))
	}
	return roots
}

// extracted is the file system of the only image of an OCI layout, as a container gets it.
func extracted(t *testing.T, layout string) *imageRoot {
	t.Helper()
	type descriptor struct{ Digest string }
	decode := func(path string, into any) {
		t.Helper()
		if err := json.Unmarshal(read(t, path), into); err != nil {
			t.Fatalf("reading %s: %v", path, err)
		}
	}
	blob := func(d descriptor) string {
		return filepath.Join(layout, "blobs", "sha256", strings.TrimPrefix(d.Digest, "sha256:"))
	}
	var index struct{ Manifests []descriptor }
	decode(filepath.Join(layout, "index.json"), &index)
	if len(index.Manifests) != 1 {
		t.Fatalf("%s has %d images, want 1", layout, len(index.Manifests))
	}
	var manifest struct {
		Config descriptor
		Layers []descriptor
	}
	decode(blob(index.Manifests[0]), &manifest)
	root := &imageRoot{dir: t.TempDir()}
	config := struct{ Config any }{&root.config}
	decode(blob(manifest.Config), &config)
	for _, layer := range manifest.Layers {
		root.unpack(t, blob(layer))
	}
	// Somebody else than its owner runs in it. What a pod mounts: a place for temporary files.
	if err := os.Chmod(root.dir, 0o755); err != nil {
		t.Fatal(err)
	}
	temporary := filepath.Join(root.dir, "tmp")
	if err := errors.Join(os.Mkdir(temporary, 0o755), os.Chmod(temporary, 0o777|os.ModeSticky)); err != nil {
		t.Fatal(err)
	}
	return root
}

func (r *imageRoot) unpack(t *testing.T, layer string) {
	t.Helper()
	file, err := os.Open(layer)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	unzipped, err := gzip.NewReader(file)
	if err != nil {
		t.Fatal(err)
	}
	for archive := tar.NewReader(unzipped); ; {
		header, err := archive.Next()
		if errors.Is(err, io.EOF) {
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		name := filepath.Clean(strings.TrimPrefix(header.Name, "/"))
		if !filepath.IsLocal(name) {
			t.Fatalf("the image has a file %q", header.Name)
		}
		switch header.Typeflag {
		case tar.TypeDir:
			err = os.MkdirAll(filepath.Join(r.dir, name), 0o755)
		case tar.TypeReg:
			r.files = append(r.files, name)
			var content []byte
			if content, err = io.ReadAll(archive); err == nil {
				err = errors.Join(os.MkdirAll(filepath.Join(r.dir, filepath.Dir(name)), 0o755),
					os.WriteFile(filepath.Join(r.dir, name), content, header.FileInfo().Mode().Perm()))
			}
		default:
			t.Fatalf("the image has %q of type %c: want programs and their directories only", header.Name, header.Typeflag)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

// write puts a file into the root, as a pod's volume would.
func (r *imageRoot) write(t *testing.T, name string, content []byte) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(r.dir, name), content, 0o644); err != nil {
		t.Fatal(err)
	}
}

// confined is a program that runs in an image's root as the image's user.
type confined struct {
	cmd    *exec.Cmd
	output string // the file
	ended  chan error
}

// start starts the image's program. It sees the root and nothing else. Root may do that, and so may
// anybody on a machine that has user namespaces for all; where neither holds, the test can't say what it is there to
// say, and fails.
func (r *imageRoot) start(t *testing.T, env []string, args ...string) *confined {
	t.Helper()
	output, err := os.Create(filepath.Join(t.TempDir(), "output"))
	if err != nil {
		t.Fatal(err)
	}
	defer output.Close()
	cmd := exec.Command(r.config.Entrypoint[0], append(slices.Clone(r.config.Entrypoint[1:]), args...)...)
	cmd.Env = append(append(slices.Clone(r.config.Env), "HOME=/"), env...) // as container runtimes have it for a user without a home
	cmd.Dir = "/"
	cmd.Stdout, cmd.Stderr = output, output
	const user = 65532
	cmd.SysProcAttr = &syscall.SysProcAttr{Chroot: r.dir}
	if os.Geteuid() == 0 {
		cmd.SysProcAttr.Credential = &syscall.Credential{Uid: user, Gid: user}
	} else {
		cmd.SysProcAttr.Cloneflags = syscall.CLONE_NEWUSER
		cmd.SysProcAttr.UidMappings = []syscall.SysProcIDMap{{ContainerID: user, HostID: os.Geteuid(), Size: 1}}
		cmd.SysProcAttr.GidMappings = []syscall.SysProcIDMap{{ContainerID: user, HostID: os.Getegid(), Size: 1}}
	}
	if err := cmd.Start(); err != nil {
		t.Fatalf("this test changes the root directory of a process, which takes root or user namespaces for all "+
			"(sysctl kernel.unprivileged_userns_clone=1, kernel.apparmor_restrict_unprivileged_userns=0): %v", err)
	}
	c := &confined{cmd: cmd, output: output.Name(), ended: make(chan error, 1)}
	go func() { c.ended <- cmd.Wait() }()
	t.Cleanup(func() { c.stop(t) })
	return c
}

// stop ends the program, by its pid. It may be called twice.
func (c *confined) stop(t *testing.T) {
	t.Helper()
	if c.cmd.Process.Signal(syscall.SIGTERM) != nil {
		return
	}
	select {
	case err := <-c.ended:
		c.ended <- err
	case <-time.After(20 * time.Second):
		_ = c.cmd.Process.Kill()
		t.Error("the program did not end within 20 s of SIGTERM")
	}
}

// end is how the program ends.
func (c *confined) end() error {
	err := <-c.ended
	c.ended <- err
	return err
}

func (c *confined) alive() error {
	select {
	case err := <-c.ended:
		c.ended <- err
		return fmt.Errorf("the program has ended: %w\n%s", err, c.log())
	default:
		return nil
	}
}

func (c *confined) log() string {
	content, err := os.ReadFile(c.output)
	if err != nil {
		return err.Error()
	}
	return string(content[max(0, len(content)-4000):])
}

// authority is a certificate authority that nobody has heard of, and a server's certificate of it.
type authority struct {
	pem    []byte
	pool   *x509.CertPool
	server tls.Certificate
}

func newAuthority(t *testing.T) *authority {
	t.Helper()
	key := func() *ecdsa.PrivateKey {
		k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		return k
	}
	issue := func(template, parent *x509.Certificate, public, signer *ecdsa.PrivateKey) []byte {
		template.NotBefore, template.NotAfter = time.Now().Add(-time.Hour), time.Now().Add(time.Hour)
		der, err := x509.CreateCertificate(rand.Reader, template, parent, &public.PublicKey, signer)
		if err != nil {
			t.Fatal(err)
		}
		return der
	}
	rootKey, serverKey := key(), key()
	root := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "nobody's authority"},
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	rootDER := issue(root, root, rootKey, rootKey)
	serverDER := issue(&x509.Certificate{
		SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: "aws"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}, root, serverKey, rootKey)
	a := &authority{
		pem: pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: rootDER}), pool: x509.NewCertPool(),
		server: tls.Certificate{Certificate: [][]byte{serverDER}, PrivateKey: serverKey},
	}
	a.pool.AppendCertsFromPEM(a.pem)
	return a
}

// furnishedBehind is a local AWS with what config/samples needs, by HTTPS, and what clients had against its
// certificate.
func furnishedBehind(t *testing.T, authority *authority) (*lab.Account, *transcript) {
	t.Helper()
	server := httptest.NewUnstartedServer(awssim.New(awssim.Options{Speed: speed}))
	server.TLS = &tls.Config{Certificates: []tls.Certificate{authority.server}}
	refusals := &transcript{}
	server.Config.ErrorLog = log.New(refusals, "", 0)
	server.StartTLS()
	t.Cleanup(server.Close)
	return furnishedAt(t, lab.AWS{
		Endpoint: server.URL,
		Client:   &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: authority.pool}}},
	}), refusals
}

// transcript is what was written to it. It may be written to and read at the same time.
type transcript struct {
	mu   sync.Mutex
	text strings.Builder
}

func (s *transcript) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.Write(p)
}

func (s *transcript) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.String()
}
