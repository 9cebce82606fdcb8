package v1alpha1_test

import (
	"encoding/json"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"sigs.k8s.io/yaml"

	ecsv1alpha1 "heliumai.space/ecsrelease/api/v1alpha1"
)

// root is the directory of the repository.
const root = "../.."

const (
	releasePage     = root + "/docs/ecsrelease.md"
	environmentPage = root + "/docs/ecsenvironment.md"
	endpointPage    = root + "/docs/ecsendpoint.md"
)

// pages are all that people are given to read.
func pages(t *testing.T) []string {
	t.Helper()
	paths := []string{"README.md", "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md"}
	for i := range paths {
		paths[i] = filepath.Join(root, paths[i])
	}
	docs, err := filepath.Glob(root + "/docs/*.md")
	if err != nil || len(docs) < 3 {
		t.Fatalf("the pages of docs are %v (%v), wanted three at least", docs, err)
	}
	return append(paths, docs...)
}

func TestEveryConditionReasonAndEventIsDocumented(t *testing.T) {
	release, environment := read(t, releasePage), read(t, environmentPage)
	documented := named(release + environment)
	for name, value := range constants(t, "Condition", "Reason", "Event") {
		if !documented[value] {
			t.Errorf("neither page names `%s` (%s)", value, name)
		}
	}
}

func TestTheTablesOfThePageHoldWhatTheCodeHas(t *testing.T) {
	page := read(t, releasePage)
	for heading, has := range map[string]map[string]string{
		"## Conditions":          constants(t, "Condition"),
		"## Reasons":             constants(t, "Reason"),
		"## Events":              constants(t, "Event"),
		"## Commands":            declared(t, "ecsrelease_types.go", "Annotation"),
		"## States of a service": typed(t, "ServiceState"),
		"## After a failure":     typed(t, "FailureClass"),
	} {
		want := slices.Sorted(maps.Values(has))
		got := slices.Sorted(slices.Values(firstCells(section(t, page, heading))))
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s, each in one row (-code +page):\n%s", heading, diff)
		}
	}
	reasons := slices.Collect(maps.Values(constants(t, "Reason")))
	for _, reason := range firstCells(section(t, read(t, environmentPage), "## What a release says about it")) {
		if !slices.Contains(reasons, reason) {
			t.Errorf("%s has a row for `%s`, which is no reason", environmentPage, reason)
		}
	}
}

func TestThePageOfEnvironmentsNamesTheirConditionsAndReasons(t *testing.T) {
	documented := named(read(t, environmentPage))
	reasons := constants(t, "Reason")
	declared := declared(t, "environment_conditions.go", "")
	maps.Copy(reasons, declared)
	if len(declared) < 4 {
		t.Fatalf("environments have the conditions and reasons %v, too few to be true", declared)
	}
	for name, value := range declared {
		if !documented[value] {
			t.Errorf("%s does not name `%s` (%s)", environmentPage, value, name)
		}
	}
	// What the controller of environments says is in the table under Status, each in one row.
	rows := firstCells(section(t, read(t, environmentPage), "## Status"))
	for _, used := range regexp.MustCompile(`ecsv1alpha1\.(Reason[A-Z][A-Za-z]+)`).FindAllStringSubmatch(read(t, root+"/controllers/environment_controller.go"), -1) {
		if reason := reasons[used[1]]; !slices.Contains(rows, reason) {
			t.Errorf("%s has no row for `%s` (%s)", environmentPage, reason, used[1])
		}
	}
}

func TestTheTablesOfThePageOfEndpointsHoldWhatTheCodeHas(t *testing.T) {
	page := read(t, endpointPage)
	for heading, kind := range map[string]string{"## The hops": "HopName", "## States of a hop": "HopState"} {
		want := slices.Sorted(maps.Values(typedIn(t, "ecsendpoint_status.go", kind)))
		got := slices.Sorted(slices.Values(firstCells(section(t, page, heading))))
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s, each in one row (-code +page):\n%s", heading, diff)
		}
	}
	// Its own reasons each have a row, and so has each that it says it shares with releases.
	want := slices.Collect(maps.Values(declared(t, "endpoint_conditions.go", "Reason")))
	shared := constants(t, "Reason")
	comment, _, _ := strings.Cut(read(t, "endpoint_conditions.go"), "\nconst (")
	for _, link := range regexp.MustCompile(`\[(Reason[A-Za-z]+)\]`).FindAllStringSubmatch(comment, -1) {
		want = append(want, shared[link[1]])
	}
	slices.Sort(want)
	got := slices.Sorted(slices.Values(firstCells(section(t, page, "## Reasons"))))
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("## Reasons, each in one row (-code +page):\n%s", diff)
	}
}

func TestEveryCommandIsShownAsItIsGiven(t *testing.T) {
	page := read(t, releasePage)
	for name, command := range declared(t, "ecsrelease_types.go", "Annotation") {
		given := regexp.MustCompile(`(?m)^\$ kubectl -n \S+ annotate ecsr \S+ --overwrite ` + regexp.QuoteMeta(command) + "=")
		if !given.MatchString(page) {
			t.Errorf("%s does not show how to give %s (%s)", releasePage, command, name)
		}
	}
}

func TestEveryValueThatAFieldMayHaveIsDocumented(t *testing.T) {
	documented := named(read(t, releasePage))
	for _, file := range []string{"ecsrelease_types.go", "ecsrelease_status.go"} {
		for name, value := range declared(t, file, "") {
			if last := value[strings.LastIndexByte(value, '/')+1:]; !documented[last] && !strings.Contains(last, "-") {
				t.Errorf("%s does not name `%s` (%s)", releasePage, value, name)
			}
		}
	}
}

// A class of failure is the reason of a service that failed of it.
func TestEveryClassOfFailureIsAReason(t *testing.T) {
	reasons := slices.Collect(maps.Values(constants(t, "Reason")))
	for name, class := range typed(t, "FailureClass") {
		if !slices.Contains(reasons, class) {
			t.Errorf("%s is `%s`, which is no reason", name, class)
		}
	}
}

func TestEveryFlagThatThePageNamesIsOneOfTheManagers(t *testing.T) {
	options := read(t, root+"/cmd/manager/options.go")
	flags := regexp.MustCompile("`--([a-z-]+)`").FindAllStringSubmatch(read(t, releasePage)+read(t, root+"/docs/architecture.md")+read(t, root+"/docs/aws.md"), -1)
	if len(flags) < 4 {
		t.Fatalf("the pages name the flags %v, too few to be true", flags)
	}
	for _, flag := range flags {
		// kubectl's are no business of the manager's.
		if flag[1] != "overwrite" && !strings.Contains(options, strconv.Quote(flag[1])) {
			t.Errorf("the manager has no flag --%s", flag[1])
		}
	}
}

func TestEveryFieldIsDocumentedOnThePageOfItsKind(t *testing.T) {
	for kind, page := range map[string]string{"ecsreleases": releasePage, "ecsenvironments": environmentPage, "ecsendpoints": endpointPage} {
		documented := named(read(t, page))
		fields := fieldsOf(t, root+"/config/crd/bases/ecs.heliumai.space_"+kind+".yaml")
		if len(fields) < 8 {
			t.Fatalf("the CRD of %s has the fields %v", kind, fields)
		}
		for _, path := range fields {
			if name := path[strings.LastIndexByte(path, '.')+1:]; !documented[name] {
				t.Errorf("%s does not name `%s` (%s)", page, name, path)
			}
		}
	}
}

func TestEveryMetricIsDocumented(t *testing.T) {
	metric := regexp.MustCompile(`ecsrelease_[a-z_]+`)
	var registered []string
	for _, source := range []string{"/controllers/metrics.go", "/internal/cloud/metrics.go"} {
		registered = append(registered, metric.FindAllString(read(t, root+source), -1)...)
	}
	slices.Sort(registered)
	documented := firstCells(section(t, read(t, releasePage), "## Metrics"))
	slices.Sort(documented)
	if diff := cmp.Diff(slices.Compact(registered), documented); diff != "" {
		t.Errorf("metrics (-code +page):\n%s", diff)
	}
}

func TestEveryManifestIsOneThatTheTypesTake(t *testing.T) {
	samples, err := filepath.Glob(root + "/config/samples/*.yaml")
	if err != nil {
		t.Fatal(err)
	}
	checked := map[string]int{}
	for _, sample := range samples {
		checkManifests(t, sample, read(t, sample), checked)
	}
	fence := regexp.MustCompile("(?ms)^```yaml\n(.*?)^```$")
	for _, page := range pages(t) {
		for _, block := range fence.FindAllStringSubmatch(read(t, page), -1) {
			checkManifests(t, page, block[1], checked)
		}
	}
	if checked["EcsRelease"] < 4 || checked["EcsEnvironment"] < 3 || checked["EcsEndpoint"] < 3 {
		t.Errorf("these manifests of ours were found, too few to be true: %v", checked)
	}
}

// A release of a page that is in the namespace of a sample's environment is one that this takes.
func TestTheSampleEnvironmentsTakeTheImagesOfThePage(t *testing.T) {
	takes := map[string][]string{}
	for _, name := range []string{"staging", "production"} {
		for document := range strings.SplitSeq(read(t, root+"/config/samples/"+name+".yaml"), "\n---\n") {
			var environment ecsv1alpha1.EcsEnvironment
			if err := yaml.Unmarshal([]byte(document), &environment); err != nil {
				t.Fatal(err)
			}
			if environment.Kind == "EcsEnvironment" && environment.Spec.Images != nil {
				takes[name] = environment.Spec.Images.Repositories
			}
		}
	}
	checked := 0
	for _, block := range regexp.MustCompile("(?ms)^```yaml\n(apiVersion: .*?)^```$").FindAllStringSubmatch(read(t, releasePage), -1) {
		var release ecsv1alpha1.EcsRelease
		if err := yaml.Unmarshal([]byte(block[1]), &release); err != nil {
			t.Fatal(err)
		}
		images := []string{release.Spec.Image}
		for _, container := range release.Spec.Containers {
			images = append(images, container.Image)
		}
		for _, image := range images {
			repository := regexp.MustCompile(`[:@].*`).ReplaceAllString(image, "")
			if checked++; repository != "" && !slices.Contains(takes[release.Namespace], repository) {
				t.Errorf("the sample environment %q takes %v, not %s of\n%s", release.Namespace, takes[release.Namespace], repository, block[1])
			}
		}
	}
	if checked < 5 {
		t.Errorf("%d images were found, too few to be true", checked)
	}
}

// checkManifests reads those documents of text that are manifests of ours, strictly.
func checkManifests(t *testing.T, path, text string, checked map[string]int) {
	t.Helper()
	for document := range strings.SplitSeq(text, "\n---\n") {
		if !strings.Contains(document, "apiVersion: "+ecsv1alpha1.GroupVersion.Group) {
			continue
		}
		var head struct{ APIVersion, Kind string }
		if err := yaml.Unmarshal([]byte(document), &head); err != nil {
			t.Errorf("%s: %v in\n%s", path, err, document)
			continue
		}
		objects := map[string]any{"EcsRelease": &ecsv1alpha1.EcsRelease{}, "EcsEnvironment": &ecsv1alpha1.EcsEnvironment{}, "EcsEndpoint": &ecsv1alpha1.EcsEndpoint{}}
		object, ok := objects[head.Kind]
		if !ok || head.APIVersion != ecsv1alpha1.GroupVersion.String() {
			t.Errorf("%s has a manifest of %s %s, which is no kind of ours", path, head.APIVersion, head.Kind)
			continue
		}
		if err := yaml.UnmarshalStrict([]byte(document), object); err != nil {
			t.Errorf("%s: %v in\n%s", path, err, document)
		}
		checked[head.Kind]++
	}
}

// A threat is held off by a test, and that is there.
func TestEveryTestThatThePagesNameIsThere(t *testing.T) {
	named := regexp.MustCompile("`((?:Test|Fuzz)[A-Z][A-Za-z0-9]+)`")
	declared := map[string]bool{}
	function := regexp.MustCompile(`(?m)^func ((?:Test|Fuzz)[A-Z][A-Za-z0-9]+)\(`)
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || !strings.HasSuffix(path, "_test.go") {
			return err
		}
		for _, found := range function.FindAllStringSubmatch(read(t, path), -1) {
			declared[found[1]] = true
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	found := 0
	for _, page := range pages(t) {
		for _, name := range named.FindAllStringSubmatch(read(t, page), -1) {
			found++
			if !declared[name[1]] {
				t.Errorf("%s names the test %s, which is not there", page, name[1])
			}
		}
	}
	if found < 15 {
		t.Errorf("the pages name %d tests, too few to be true", found)
	}
}

// The policies of the page on AWS are JSON that IAM takes: with a version and statements that allow.
func TestEveryPolicyOfThePageOnAWSIsOne(t *testing.T) {
	fence := regexp.MustCompile("(?ms)^```json (trust|identity)\n(.*?)^```$")
	blocks := fence.FindAllStringSubmatch(read(t, root+"/docs/aws.md"), -1)
	if len(blocks) != 3 {
		t.Fatalf("the page has %d policies, wanted 3", len(blocks))
	}
	for _, block := range blocks {
		var policy struct {
			Version   string
			Statement []struct {
				Effect    string
				Action    any
				Principal map[string]string
				Resource  string
				Condition map[string]map[string]string
			}
		}
		decoder := json.NewDecoder(strings.NewReader(block[2]))
		decoder.DisallowUnknownFields()
		if err := decoder.Decode(&policy); err != nil {
			t.Fatalf("%s: %v", block[0], err)
		}
		s := policy.Statement[0]
		var allowed []string
		for _, statement := range policy.Statement {
			allowed = append(allowed, strings.Fields(strings.Trim(fmt.Sprint(statement.Action), "[]"))...)
		}
		if !slices.Equal(allowed, []string{"sts:AssumeRole", "sts:TagSession"}) || s.Effect != "Allow" || policy.Version != "2012-10-17" {
			t.Errorf("it allows %v: %s", allowed, block[0])
		}
		if trust := block[1] == "trust"; trust != (s.Principal["AWS"] != "") || trust == (s.Resource != "") || trust && s.Condition["StringEquals"]["sts:ExternalId"] == "" {
			t.Errorf("a %s policy has principal %v, resource %q and condition %v", block[1], s.Principal, s.Resource, s.Condition)
		}
	}
}

// The trust policies of the manager's own role let in the service account that config makes, and nobody else:
// by IAM roles for service accounts, and by EKS Pod Identity with the commands that the page has for it.
func TestTheTrustPoliciesOfTheManagersRoleAreForItsServiceAccount(t *testing.T) {
	page := read(t, root+"/docs/aws.md")
	var kustomization struct{ Namespace, NamePrefix string }
	var account struct{ Metadata struct{ Name string } }
	for path, into := range map[string]any{"default/kustomization.yaml": &kustomization, "rbac/service_account.yaml": &account} {
		if err := yaml.Unmarshal([]byte(read(t, root+"/config/"+path)), into); err != nil {
			t.Fatal(err)
		}
	}
	namespace, name := kustomization.Namespace, kustomization.NamePrefix+account.Metadata.Name
	if namespace == "" || account.Metadata.Name == "" {
		t.Fatalf("the service account is %q in namespace %q", name, namespace)
	}

	irsa := trustOf(t, page, "irsa")
	_, provider, _ := strings.Cut(irsa.Principal["Federated"], ":oidc-provider/")
	if diff := cmp.Diff([]string{"sts:AssumeRoleWithWebIdentity"}, irsa.actions()); diff != "" || provider == "" || len(irsa.Principal) != 1 {
		t.Errorf("IRSA is for principal %v (-want +got actions):\n%s", irsa.Principal, diff)
	}
	want := map[string]map[string]string{"StringEquals": {
		provider + ":sub": "system:serviceaccount:" + namespace + ":" + name,
		provider + ":aud": "sts.amazonaws.com",
	}}
	if diff := cmp.Diff(want, irsa.Condition); diff != "" {
		t.Errorf("conditions of IRSA (-want +got):\n%s", diff)
	}

	identity := trustOf(t, page, "pod-identity")
	if diff := cmp.Diff([]string{"sts:AssumeRole", "sts:TagSession"}, identity.actions()); diff != "" {
		t.Errorf("actions of Pod Identity (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(map[string]string{"Service": "pods.eks.amazonaws.com"}, identity.Principal); diff != "" {
		t.Errorf("principal of Pod Identity (-want +got):\n%s", diff)
	}

	for _, command := range []string{
		"kubectl -n " + namespace + " annotate serviceaccount " + name + " eks.amazonaws.com/role-arn=arn:aws:iam::",
		"aws eks create-pod-identity-association ",
		"--namespace " + namespace + " --service-account " + name + " ",
		"kubectl -n " + namespace + " rollout restart deployment " + kustomization.NamePrefix + "manager\n",
		"target: {kind: Deployment, name: " + kustomization.NamePrefix + "manager}\n",
	} {
		if !strings.Contains(page, command) {
			t.Errorf("the page does not say %s", command)
		}
	}
}

// trustStatement is a statement of a trust policy.
type trustStatement struct {
	Effect    string
	Action    any
	Principal map[string]string
	Condition map[string]map[string]string
}

func (s trustStatement) actions() []string {
	return strings.Fields(strings.Trim(fmt.Sprint(s.Action), "[]"))
}

// trustOf is the one statement of the one policy of a page that is marked as being of a kind.
func trustOf(t *testing.T, page, kind string) trustStatement {
	t.Helper()
	blocks := regexp.MustCompile("(?ms)^```json "+kind+"\n(.*?)^```$").FindAllStringSubmatch(page, -1)
	if len(blocks) != 1 {
		t.Fatalf("the page has %d policies of the kind %s, wanted one", len(blocks), kind)
	}
	var policy struct {
		Version   string
		Statement []trustStatement
	}
	decoder := json.NewDecoder(strings.NewReader(blocks[0][1]))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&policy); err != nil {
		t.Fatalf("%s: %v", blocks[0][0], err)
	}
	if policy.Version != "2012-10-17" || len(policy.Statement) != 1 || policy.Statement[0].Effect != "Allow" {
		t.Fatalf("wanted one statement that allows: %s", blocks[0][0])
	}
	return policy.Statement[0]
}

func read(t *testing.T, path string) string {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// constants are the string constants of conditions.go by name, of those whose names begin with
// one of the prefixes.
func constants(t *testing.T, prefixes ...string) map[string]string {
	t.Helper()
	found := map[string]string{}
	for _, prefix := range prefixes {
		maps.Copy(found, declared(t, "conditions.go", prefix))
	}
	return found
}

// typed are the constants of a type of ecsrelease_status.go, by name.
func typed(t *testing.T, kind string) map[string]string {
	t.Helper()
	return typedIn(t, "ecsrelease_status.go", kind)
}

// typedIn are the constants of a type of a file, by name.
func typedIn(t *testing.T, path, kind string) map[string]string {
	t.Helper()
	return constantsOf(t, path, kind, func(spec *ast.ValueSpec, _ string) bool {
		of, ok := spec.Type.(*ast.Ident)
		return ok && of.Name == kind
	})
}

// declared are the string constants of a file by name, of those whose names begin with a prefix.
func declared(t *testing.T, path, prefix string) map[string]string {
	t.Helper()
	return constantsOf(t, path, prefix, func(_ *ast.ValueSpec, name string) bool { return strings.HasPrefix(name, prefix) })
}

// constantsOf are the string constants of a file that match, by name; what says which for messages.
func constantsOf(t *testing.T, path, what string, match func(*ast.ValueSpec, string) bool) map[string]string {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]string{}
	ast.Inspect(file, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok {
			return true
		}
		for i, name := range spec.Names {
			if i >= len(spec.Values) || !match(spec, name.Name) {
				continue
			}
			literal, ok := spec.Values[i].(*ast.BasicLit)
			if !ok || literal.Kind != token.STRING {
				continue
			}
			value, err := strconv.Unquote(literal.Value)
			if err != nil {
				t.Fatalf("%s is %s: %v", name.Name, literal.Value, err)
			}
			found[name.Name] = value
		}
		return true
	})
	if len(found) == 0 {
		t.Fatalf("%s has no string constant of %q", path, what)
	}
	return found
}

// named are the words that a page has in code spans and headings.
func named(page string) map[string]bool {
	words := map[string]bool{}
	code := regexp.MustCompile("`[^`\n]+`|(?m)^#+ .*$")
	for _, span := range code.FindAllString(page, -1) {
		for _, word := range regexp.MustCompile(`[A-Za-z]+`).FindAllString(span, -1) {
			words[word] = true
		}
	}
	return words
}

// section is what follows a heading of the second level, up to the next one.
func section(t *testing.T, page, heading string) string {
	t.Helper()
	_, rest, ok := strings.Cut(page, "\n"+heading+"\n")
	if !ok {
		t.Fatalf("the page has no heading %q", heading)
	}
	text, _, _ := strings.Cut(rest, "\n## ")
	return text
}

// firstCells are the code spans that rows of tables begin with.
func firstCells(text string) []string {
	var cells []string
	for _, match := range regexp.MustCompile("(?m)^\\| `([^`]+)` \\|").FindAllStringSubmatch(text, -1) {
		cells = append(cells, match[1])
	}
	return cells
}

// fieldsOf are the paths of all fields below spec and status. What is within a condition is
// Kubernetes' own.
func fieldsOf(t *testing.T, path string) []string {
	t.Helper()
	var crd apiextensionsv1.CustomResourceDefinition
	if err := yaml.Unmarshal([]byte(read(t, path)), &crd); err != nil {
		t.Fatalf("reading %s: %v", path, err)
	}
	if len(crd.Spec.Versions) == 0 {
		t.Fatalf("%s has no version", path)
	}
	top := crd.Spec.Versions[0].Schema.OpenAPIV3Schema.Properties
	return append(fieldsBelow(top["spec"], "spec"), fieldsBelow(top["status"], "status")...)
}

func fieldsBelow(schema apiextensionsv1.JSONSchemaProps, path string) []string {
	var fields []string
	if schema.Items != nil && schema.Items.Schema != nil && !strings.HasSuffix(path, ".conditions") {
		fields = append(fields, fieldsBelow(*schema.Items.Schema, path)...)
	}
	for _, name := range slices.Sorted(maps.Keys(schema.Properties)) {
		fields = append(fields, path+"."+name)
		fields = append(fields, fieldsBelow(schema.Properties[name], path+"."+name)...)
	}
	return fields
}
