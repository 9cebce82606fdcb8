package config_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	ecsv1alpha1 "heliumai.space/ecsrelease/api/v1alpha1"
	"heliumai.space/ecsrelease/internal/lab"
)

// use is a place of an alert or a dashboard that asks for a metric, as hack/release/promql tells.
type use struct {
	Where, Selector, Metric string
	Matchers                []struct {
		Label, Pattern string
		Not            bool
	}
	Labels []string
}

// usesOfMetrics are what the alerts and the dashboard ask for. Prometheus' parser has taken all of them.
func usesOfMetrics(t *testing.T) []use {
	t.Helper()
	program := filepath.Join(t.TempDir(), "promql")
	if output, err := exec.CommandContext(t.Context(), "go", "-C", filepath.Join("..", "hack", "release"), "build", "-o", program, "./promql").CombinedOutput(); err != nil {
		t.Fatalf("building hack/release/promql: %v\n%s", err, output)
	}
	output, err := exec.CommandContext(t.Context(), program, "prometheus/rules.yaml", "grafana/dashboard.json").Output()
	if err != nil {
		t.Fatalf("Prometheus would not take them: %v%s", err, stderrOf(err))
	}
	var uses []use
	if err := json.Unmarshal(output, &uses); err != nil {
		t.Fatal(err)
	}
	return uses
}

// TestWhatAlertsAndTheDashboardAskForIsServed scrapes a manager that has released, failed and
// been throttled, and looks up there every metric, label and value that they name.
func TestWhatAlertsAndTheDashboardAskForIsServed(t *testing.T) {
	uses := usesOfMetrics(t)
	served := scraped(t, eventfulManager(t))
	// What Prometheus adds to each series.
	added := []string{"job", "instance", "pod"}
	named := map[string]bool{}
	for _, u := range uses {
		named[u.Metric] = true
		series := served[u.Metric]
		if len(series) == 0 {
			t.Errorf("%s: the manager serves no %s", u.Where, u.Metric)
			continue
		}
		for _, label := range u.Labels {
			if !slices.Contains(added, label) && !slices.ContainsFunc(series, func(s map[string]string) bool { _, ok := s[label]; return ok }) {
				t.Errorf("%s: %s has no label %s, only %v", u.Where, u.Metric, label, series[0])
			}
		}
		if !slices.ContainsFunc(series, u.matches) {
			t.Errorf("%s: of the %d series of %s none matches %s", u.Where, len(series), u.Metric, u.Selector)
		}
	}
	// And what is served of ours, and by no one asked for, is for whoever writes more alerts.
	for metric := range served {
		if strings.HasPrefix(metric, "ecsrelease_") && !named[metric] {
			t.Errorf("neither an alert nor the dashboard shows %s", metric)
		}
	}
}

func (u use) matches(series map[string]string) bool {
	for _, m := range u.Matchers {
		if regexp.MustCompile("^(?:"+m.Pattern+")$").MatchString(series[m.Label]) == m.Not {
			return false
		}
	}
	return true
}

// eventfulManager is where the metrics are of a manager with a past: a release that went
// through, one that crashed and was rolled back, and an AWS that has throttled.
func eventfulManager(t *testing.T) (url string) {
	t.Helper()
	aws := furnished(t)
	address, err := lab.FreeAddress()
	if err != nil {
		t.Fatal(err)
	}
	manager, err := lab.Launch("manager", builtManager(t), filepath.Join(t.TempDir(), "manager.log"),
		append(aws.ManagerEnvironment(), "KUBECONFIG="+shared.kubeconfig),
		"--leader-election-namespace=default", "--metrics-bind-address="+address, "--metrics-secure=false",
		"--health-probe-bind-address=0", "--in-flight-interval=200ms", "--sweep-interval=1s")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := manager.Stop(); err != nil {
			t.Error(err)
		}
	})
	const namespace, name = "monitored", "helium-backend"
	environment := fmt.Sprintf(`{apiVersion: ecs.heliumai.space/v1alpha1, kind: EcsEnvironment, metadata: {name: %s}, spec: {
		namespaces: {names: [%s]}, aws: {accountID: %q, roleARN: %q, externalID: %q},
		destinations: [{region: ap-south-1, clusters: [helium-mumbai-staging-cluster], services: ["*"]}]}}`,
		namespace, namespace, lab.AccountID, lab.Role("staging"), lab.ExternalID("staging"))
	manifest := func(tag string) []byte {
		return fmt.Appendf(nil, `{apiVersion: ecs.heliumai.space/v1alpha1, kind: EcsRelease, metadata: {name: %s, namespace: %s}, spec: {
			image: "helium-backend:%s", services: [{name: backend}], targets: [{name: mumbai, region: ap-south-1, cluster: helium-mumbai-staging-cluster}]}}`, name, namespace, tag)
	}
	createNamespaces(t, manifest("v1"))
	for _, one := range [][]byte{[]byte(environment), manifest("v2")} {
		if _, err := shared.apply(t.Context(), one, "--server-side", "--field-manager=monitoring"); err != nil {
			t.Fatal(err)
		}
	}
	t.Cleanup(func() {
		remove(t, &ecsv1alpha1.EcsRelease{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name}})
		remove(t, &ecsv1alpha1.EcsEnvironment{ObjectMeta: metav1.ObjectMeta{Name: namespace}})
	})
	until := func(condition, tag string) {
		t.Helper()
		eventually(t, patience, func() error {
			if err := manager.Alive(); err != nil {
				t.Fatal(err)
			}
			var release ecsv1alpha1.EcsRelease
			if err := shared.client.Get(t.Context(), client.ObjectKey{Namespace: namespace, Name: name}, &release); err != nil {
				return err
			}
			if release.Status.ObservedGeneration != release.Generation || !meta.IsStatusConditionTrue(release.Status.Conditions, condition) {
				return fmt.Errorf("%s is not %s: %+v", tag, condition, release.Status.Conditions)
			}
			return nil
		})
	}
	if _, err := aws.Push(t.Context(), "v2"); err != nil {
		t.Fatal(err)
	}
	broken, err := aws.Push(t.Context(), "v3")
	if err != nil {
		t.Fatal(err)
	}
	until(ecsv1alpha1.ConditionReady, "v2")

	admin := func(method, path string, body any) {
		t.Helper()
		if err := aws.AWS.Admin(t.Context(), method, path, body, nil); err != nil {
			t.Fatal(err)
		}
	}
	admin(http.MethodPut, "images", map[string]any{"image": "*" + broken, "kind": "Crash", "exitCode": 3})
	admin(http.MethodPost, "faults", map[string]any{"operation": "DescribeServices", "times": 1, "throttle": true})
	if _, err := shared.apply(t.Context(), manifest("v3"), "--server-side", "--field-manager=monitoring"); err != nil {
		t.Fatal(err)
	}
	until(ecsv1alpha1.ConditionStalled, "v3")
	return "http://" + address + "/metrics"
}

// scraped are the labels of the series that are served, by the names that Prometheus gives them.
func scraped(t *testing.T, url string) map[string][]map[string]string {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	text := expfmt.NewDecoder(response.Body, expfmt.NewFormat(expfmt.TypeTextPlain))
	served := map[string][]map[string]string{}
	for {
		var family dto.MetricFamily
		if err := text.Decode(&family); errors.Is(err, io.EOF) {
			return served
		} else if err != nil {
			t.Fatal(err)
		}
		samples, err := expfmt.ExtractSamples(&expfmt.DecodeOptions{Timestamp: model.Now()}, &family)
		if err != nil {
			t.Fatal(err)
		}
		for _, sample := range samples {
			labels := map[string]string{}
			for name, value := range sample.Metric {
				labels[string(name)] = string(value)
			}
			name := labels[model.MetricNameLabel]
			served[name] = append(served[name], labels)
		}
	}
}

// TestEachAlertSaysWhereToReadOn holds what an alert links to against the page.
func TestEachAlertSaysWhereToReadOn(t *testing.T) {
	var rules struct {
		Spec struct {
			Groups []struct {
				Rules []struct {
					Alert       string
					For         string
					Labels      map[string]string
					Annotations map[string]string
				}
			}
		}
	}
	if err := yaml.Unmarshal(read(t, "prometheus/rules.yaml"), &rules); err != nil {
		t.Fatal(err)
	}
	page := string(read(t, "../docs/monitoring.md"))
	alerts := 0
	for _, group := range rules.Spec.Groups {
		for _, rule := range group.Rules {
			alerts++
			if want := "/docs/monitoring.md#" + strings.ToLower(rule.Alert); !strings.HasSuffix(rule.Annotations["runbook_url"], want) {
				t.Errorf("%s links to %q, want …%s", rule.Alert, rule.Annotations["runbook_url"], want)
			}
			_, section, found := strings.Cut(page, "\n### "+rule.Alert+"\n")
			if spelled := strings.NewReplacer("2h", "2 hours", "15m", "15 minutes", "5m", "5 minutes").Replace(rule.For); !found ||
				!strings.HasPrefix(section, "\n*"+rule.Labels["severity"]+", after "+spelled+".*") {
				t.Errorf("docs/monitoring.md has no section ### %s that begins with *%s, after %s.*", rule.Alert, rule.Labels["severity"], spelled)
			}
			if rule.Annotations["summary"] == "" || rule.Annotations["description"] == "" {
				t.Errorf("%s does not say what is the matter", rule.Alert)
			}
		}
	}
	if documented := strings.Count(page, "\n### EcsRelease"); alerts != 4 || documented != alerts {
		t.Errorf("there are %d alerts, and %d in docs/monitoring.md, want 4", alerts, documented)
	}
}
