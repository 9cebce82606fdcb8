package main

import (
	"fmt"
	"strings"
	"syscall"
	"testing"

	admissionv1 "k8s.io/api/admissionregistration/v1"
	authenticationv1 "k8s.io/api/authentication/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	apiextensions "k8s.io/apiextensions-apiserver/pkg/client/clientset/clientset"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
)

// TestTheControlPlaneIsARealOne goes through what an operator and its tests
// rely on and a fake API server lacks.
func TestTheControlPlaneIsARealOne(t *testing.T) {
	b := startBox(t, t.TempDir())
	t.Run("readyz answers ok, every check by name", b.testReadyz)
	t.Run("rules in CEL guard custom resources", b.testCEL)
	t.Run("an owned object goes with its owner", b.testGarbageCollection)
	t.Run("a namespace gets its service account and can be deleted", b.testNamespace)
	t.Run("a service account may do what RBAC allows it, by aggregated roles too", b.testRBAC)
	t.Run("a validating admission policy is enforced", b.testAdmissionPolicy)
	// What one keystroke may come as, where a wrapper passes signals on.
	b.stop(t, syscall.SIGINT, syscall.SIGTERM)
}

func (b *box) testReadyz(t *testing.T) {
	body, err := b.client.RESTClient().Get().AbsPath("/readyz").Param("verbose", "1").DoRaw(t.Context())
	if err != nil || !strings.Contains(string(body), "[+]etcd ok") {
		t.Errorf("%v\n%s", err, body)
	}
	anonymous := rest.AnonymousClientConfig(b.config)
	client, err := kubernetes.NewForConfig(anonymous)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := client.CoreV1().Secrets("").List(t.Context(), metav1.ListOptions{}); !apierrors.IsForbidden(err) {
		t.Errorf("secrets without a token: %v, want forbidden", err)
	}
}

func (b *box) testCEL(t *testing.T) {
	extensions, err := apiextensions.NewForConfig(b.config)
	if err != nil {
		t.Fatal(err)
	}
	crd := &apiextensionsv1.CustomResourceDefinition{
		ObjectMeta: metav1.ObjectMeta{Name: "gauges.kubebox.test"},
		Spec: apiextensionsv1.CustomResourceDefinitionSpec{
			Group: "kubebox.test",
			Names: apiextensionsv1.CustomResourceDefinitionNames{Plural: "gauges", Kind: "Gauge"},
			Scope: apiextensionsv1.NamespaceScoped,
			Versions: []apiextensionsv1.CustomResourceDefinitionVersion{{
				Name: "v1", Served: true, Storage: true,
				Schema: &apiextensionsv1.CustomResourceValidation{OpenAPIV3Schema: &apiextensionsv1.JSONSchemaProps{
					Type: "object",
					Properties: map[string]apiextensionsv1.JSONSchemaProps{"spec": {
						Type: "object",
						Properties: map[string]apiextensionsv1.JSONSchemaProps{
							"low": {Type: "integer"}, "high": {Type: "integer"},
						},
						XValidations: apiextensionsv1.ValidationRules{{Rule: "self.low <= self.high", Message: "low is above high"}},
					}},
				}},
			}},
		},
	}
	if _, err := extensions.ApiextensionsV1().CustomResourceDefinitions().Create(t.Context(), crd, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	objects, err := dynamic.NewForConfig(b.config)
	if err != nil {
		t.Fatal(err)
	}
	gauges := objects.Resource(schema.GroupVersionResource{Group: "kubebox.test", Version: "v1", Resource: "gauges"}).Namespace("default")
	gauge := func(low, high int64) *unstructured.Unstructured {
		return &unstructured.Unstructured{Object: map[string]any{
			"apiVersion": "kubebox.test/v1", "kind": "Gauge",
			"metadata": map[string]any{"name": "g"},
			"spec":     map[string]any{"low": low, "high": high},
		}}
	}
	eventually(t, func() error {
		_, err := gauges.Create(t.Context(), gauge(2, 1), metav1.CreateOptions{})
		if !apierrors.IsInvalid(err) || !strings.Contains(err.Error(), "low is above high") {
			return fmt.Errorf("creating an object that breaks the rule: %v", err)
		}
		return nil
	})
	if _, err := gauges.Create(t.Context(), gauge(1, 2), metav1.CreateOptions{}); err != nil {
		t.Error(err)
	}
}

func (b *box) testGarbageCollection(t *testing.T) {
	maps := b.client.CoreV1().ConfigMaps("default")
	owner, err := maps.Create(t.Context(), &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "owner"}}, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	_, err = maps.Create(t.Context(), &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{
		Name:            "owned",
		OwnerReferences: []metav1.OwnerReference{{APIVersion: "v1", Kind: "ConfigMap", Name: "owner", UID: owner.UID}},
	}}, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if err := maps.Delete(t.Context(), "owner", metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	eventually(t, func() error {
		if _, err := maps.Get(t.Context(), "owned", metav1.GetOptions{}); !apierrors.IsNotFound(err) {
			return fmt.Errorf("the owned object after the owner has gone: %v, want not found", err)
		}
		return nil
	})
}

func (b *box) testNamespace(t *testing.T) {
	ctx := t.Context()
	core := b.client.CoreV1()
	if _, err := core.Namespaces().Create(ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "short-lived"}}, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	eventually(t, func() error {
		_, err := core.ServiceAccounts("short-lived").Get(ctx, "default", metav1.GetOptions{})
		return err
	})
	eventually(t, func() error {
		_, err := core.ConfigMaps("short-lived").Get(ctx, "kube-root-ca.crt", metav1.GetOptions{})
		return err
	})
	if err := core.Namespaces().Delete(ctx, "short-lived", metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	eventually(t, func() error {
		if _, err := core.Namespaces().Get(ctx, "short-lived", metav1.GetOptions{}); !apierrors.IsNotFound(err) {
			return fmt.Errorf("the namespace after its deletion: %v, want not found", err)
		}
		return nil
	})
}

func (b *box) testRBAC(t *testing.T) {
	ctx := t.Context()
	token, err := b.client.CoreV1().ServiceAccounts("default").CreateToken(ctx, "default", &authenticationv1.TokenRequest{}, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	config := rest.AnonymousClientConfig(b.config)
	config.BearerToken = token.Status.Token
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := client.CoreV1().Secrets("default").List(ctx, metav1.ListOptions{}); !apierrors.IsForbidden(err) {
		t.Errorf("secrets before a role is bound: %v, want forbidden", err)
	}
	// "view" is filled by kube-controller-manager with what this role says.
	_, err = b.client.RbacV1().ClusterRoles().Create(ctx, &rbacv1.ClusterRole{
		ObjectMeta: metav1.ObjectMeta{Name: "view-secrets", Labels: map[string]string{"rbac.authorization.k8s.io/aggregate-to-view": "true"}},
		Rules:      []rbacv1.PolicyRule{{APIGroups: []string{""}, Resources: []string{"secrets"}, Verbs: []string{"list"}}},
	}, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	_, err = b.client.RbacV1().RoleBindings("default").Create(ctx, &rbacv1.RoleBinding{
		ObjectMeta: metav1.ObjectMeta{Name: "viewer"},
		RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: "view"},
		Subjects:   []rbacv1.Subject{{Kind: rbacv1.ServiceAccountKind, Namespace: "default", Name: "default"}},
	}, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	eventually(t, func() error {
		_, err := client.CoreV1().Secrets("default").List(ctx, metav1.ListOptions{})
		return err
	})
}

func (b *box) testAdmissionPolicy(t *testing.T) {
	ctx := t.Context()
	policies := b.client.AdmissionregistrationV1()
	_, err := policies.ValidatingAdmissionPolicies().Create(ctx, &admissionv1.ValidatingAdmissionPolicy{
		ObjectMeta: metav1.ObjectMeta{Name: "no-empty-maps"},
		Spec: admissionv1.ValidatingAdmissionPolicySpec{
			MatchConstraints: &admissionv1.MatchResources{ResourceRules: []admissionv1.NamedRuleWithOperations{{
				RuleWithOperations: admissionv1.RuleWithOperations{
					Operations: []admissionv1.OperationType{admissionv1.Create},
					Rule:       admissionv1.Rule{APIGroups: []string{""}, APIVersions: []string{"v1"}, Resources: []string{"configmaps"}},
				},
			}}},
			Validations: []admissionv1.Validation{{Expression: "has(object.data)", Message: "a map needs data"}},
		},
	}, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	_, err = policies.ValidatingAdmissionPolicyBindings().Create(ctx, &admissionv1.ValidatingAdmissionPolicyBinding{
		ObjectMeta: metav1.ObjectMeta{Name: "no-empty-maps"},
		Spec: admissionv1.ValidatingAdmissionPolicyBindingSpec{
			PolicyName: "no-empty-maps", ValidationActions: []admissionv1.ValidationAction{admissionv1.Deny},
			MatchResources: &admissionv1.MatchResources{NamespaceSelector: &metav1.LabelSelector{
				MatchLabels: map[string]string{corev1.LabelMetadataName: "default"},
			}},
		},
	}, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	eventually(t, func() error {
		_, err := b.client.CoreV1().ConfigMaps("default").Create(ctx,
			&corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{GenerateName: "empty-"}}, metav1.CreateOptions{})
		if err == nil || !strings.Contains(err.Error(), "a map needs data") {
			return fmt.Errorf("creating an empty map: %v, want the policy's message", err)
		}
		return nil
	})
}
