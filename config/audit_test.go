package config_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"slices"
	"testing"

	rbacv1 "k8s.io/api/rbac/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// audited is what the API server writes down of a request (audit.k8s.io/v1 Event).
type audited struct {
	Verb       string
	RequestURI string
	ObjectRef  *struct{ APIGroup, Resource, Subresource, Namespace, Name string }

	ResponseStatus struct{ Code int }
}

// asked are the permissions that the manager made use of, and the requests that it was denied.
func asked(t *testing.T) (used, denied []string) {
	t.Helper()
	file, err := os.Open(shared.audit)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	set := map[string]bool{}
	lines := bufio.NewScanner(file)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var request audited
		if err := json.Unmarshal(lines.Bytes(), &request); err != nil {
			t.Fatalf("reading the audit log: %v", err)
		}
		if code := request.ResponseStatus.Code; code == http.StatusForbidden || code == http.StatusUnauthorized {
			denied = append(denied, fmt.Sprintf("%s %s: %d", request.Verb, request.RequestURI, code))
		}
		if object := request.ObjectRef; object != nil {
			set[permission(request.Verb, object.APIGroup, object.Resource, object.Subresource)] = true
		}
	}
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}
	return sorted(set), denied
}

// granted are the permissions that the roles bound to the manager give it.
func granted(t *testing.T) []string {
	t.Helper()
	set := map[string]bool{}
	add := func(reference rbacv1.RoleRef, namespace string, subjects []rbacv1.Subject) {
		manager := rbacv1.Subject{Kind: rbacv1.ServiceAccountKind, Namespace: system, Name: account}
		if !slices.Contains(subjects, manager) {
			return
		}
		for _, rule := range rulesOf(t, reference, namespace) {
			for _, group := range rule.APIGroups {
				for _, resource := range rule.Resources {
					for _, verb := range rule.Verbs {
						set[permission(verb, group, resource, "")] = true
					}
				}
			}
		}
	}
	var wide rbacv1.ClusterRoleBindingList
	var narrow rbacv1.RoleBindingList
	for _, list := range []client.ObjectList{&wide, &narrow} {
		if err := shared.client.List(t.Context(), list); err != nil {
			t.Fatal(err)
		}
	}
	for _, binding := range wide.Items {
		add(binding.RoleRef, "", binding.Subjects)
	}
	for _, binding := range narrow.Items {
		add(binding.RoleRef, binding.Namespace, binding.Subjects)
	}
	return sorted(set)
}

// rulesOf are the rules of a role that a binding refers to.
func rulesOf(t *testing.T, reference rbacv1.RoleRef, namespace string) []rbacv1.PolicyRule {
	t.Helper()
	if reference.Kind == "Role" {
		var role rbacv1.Role
		if err := shared.client.Get(t.Context(), client.ObjectKey{Namespace: namespace, Name: reference.Name}, &role); err != nil {
			t.Fatal(err)
		}
		return role.Rules
	}
	var role rbacv1.ClusterRole
	if err := shared.client.Get(t.Context(), client.ObjectKey{Name: reference.Name}, &role); err != nil {
		t.Fatal(err)
	}
	return role.Rules
}

// permission spells one. Who may read in one way may as well in another: a cache lists and
// watches, or only watches, as the versions of client and server have it.
func permission(verb, group, resource, subresource string) string {
	if slices.Contains([]string{"get", "list", "watch"}, verb) {
		verb = "read"
	}
	if subresource != "" {
		resource += "/" + subresource
	}
	if group != "" {
		resource = group + "/" + resource
	}
	return verb + " " + resource
}
