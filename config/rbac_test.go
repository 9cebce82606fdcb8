package config_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	authorizationv1 "k8s.io/api/authorization/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

const group = "ecs.heliumai.space"

// access is one thing that somebody might do, to an object or, where it has a path, to that.
type access struct {
	verb, group, resource, subresource, namespace, name string

	path string
}

func (a access) String() string {
	if a.path != "" {
		return a.verb + " " + a.path
	}
	resource := a.resource
	if a.group != "" {
		resource += "." + a.group
	}
	if a.subresource != "" {
		resource += "/" + a.subresource
	}
	return fmt.Sprintf("%s %s %q in namespace %q", a.verb, resource, a.name, a.namespace)
}

// object is access to one, or to all of a kind where it has no name.
func object(verb, group, resource, subresource, namespace, name string) access {
	return access{verb: verb, group: group, resource: resource, subresource: subresource, namespace: namespace, name: name}
}

// may asks the API server whether the user may.
func may(t *testing.T, user string, a access) bool {
	t.Helper()
	review := &authorizationv1.SubjectAccessReview{Spec: authorizationv1.SubjectAccessReviewSpec{User: user}}
	if a.path != "" {
		review.Spec.NonResourceAttributes = &authorizationv1.NonResourceAttributes{Verb: a.verb, Path: a.path}
	} else {
		review.Spec.ResourceAttributes = &authorizationv1.ResourceAttributes{
			Verb: a.verb, Group: a.group, Resource: a.resource, Subresource: a.subresource, Namespace: a.namespace, Name: a.name,
		}
	}
	if err := shared.client.Create(t.Context(), review); err != nil {
		t.Fatal(err)
	}
	return review.Status.Allowed
}

func TestTheManagerMayNotDoWhatItsWorkDoesNotNeed(t *testing.T) {
	const user = "system:serviceaccount:" + system + ":" + account
	const lease = "ecsrelease.ecs.heliumai.space"
	for _, a := range []access{
		object("get", "", "secrets", "", system, "any"),
		object("list", "", "secrets", "", "", ""),
		object("get", "", "configmaps", "", system, "any"),
		object("list", "", "pods", "", system, ""),
		object("create", "", "pods", "", system, ""),
		object("create", "", "serviceaccounts", "token", system, account),
		object("impersonate", "", "users", "", "", "any"),
		object("update", "", "namespaces", "", "", "production"),
		object("create", group, "ecsreleases", "", "production", ""),
		object("update", group, "ecsreleases", "", "production", "any"),
		object("patch", group, "ecsreleases", "", "production", "any"),
		object("delete", group, "ecsreleases", "", "production", "any"),
		object("update", group, "ecsreleases", "status", "production", "any"),
		object("update", group, "ecsreleases", "finalizers", "production", "any"),
		object("create", group, "ecsenvironments", "", "", ""),
		object("update", group, "ecsenvironments", "", "", "any"),
		object("patch", group, "ecsenvironments", "", "", "any"),
		object("delete", group, "ecsenvironments", "", "", "any"),
		object("create", group, "ecsendpoints", "", "production", ""),
		object("update", group, "ecsendpoints", "", "production", "any"),
		object("patch", group, "ecsendpoints", "", "production", "any"),
		object("delete", group, "ecsendpoints", "", "production", "any"),
		object("approve", group, "ecsreleases", "", "production", "any"),
		object("list", "coordination.k8s.io", "leases", "", system, ""),
		object("delete", "coordination.k8s.io", "leases", "", system, lease),
		object("update", "coordination.k8s.io", "leases", "", "kube-system", lease),
		object("create", "coordination.k8s.io", "leases", "", "kube-system", ""),
		object("escalate", rbacv1.GroupName, "clusterroles", "", "", "any"),
		object("bind", rbacv1.GroupName, "clusterroles", "", "", "any"),
		object("delete", "events.k8s.io", "events", "", "production", "any"),
	} {
		if may(t, user, a) {
			t.Errorf("the manager may %s", a)
		}
	}
	// The same question with the answer yes, so that a name that is wrong does not pass for a no.
	for _, a := range []access{
		object("patch", group, "ecsreleases", "status", "production", "any"),
		object("patch", group, "ecsenvironments", "status", "", "any"),
		object("patch", group, "ecsendpoints", "status", "production", "any"),
		object("update", "coordination.k8s.io", "leases", "", system, lease),
		object("update", "coordination.k8s.io", "leases", "", system, "ecsenvironment.production"),
	} {
		if !may(t, user, a) {
			t.Errorf("the manager may not %s", a)
		}
	}
}

func TestTheBuiltInRolesCoverReleasesAndEndpointsAndNoEnvironments(t *testing.T) {
	const namespace = "default"
	type verdict struct {
		access
		view, edit, admin bool
	}
	on := func(verb, resource, subresource string, view, edit, admin bool) verdict {
		return verdict{object(verb, group, resource, subresource, namespace, "any"), view, edit, admin}
	}
	matrix := []verdict{
		on("get", "ecsreleases", "", true, true, true),
		on("list", "ecsreleases", "", true, true, true),
		on("watch", "ecsreleases", "", true, true, true),
		on("get", "ecsreleases", "status", true, true, true),
		on("create", "ecsreleases", "", false, true, true),
		on("update", "ecsreleases", "", false, true, true),
		on("patch", "ecsreleases", "", false, true, true),
		on("delete", "ecsreleases", "", false, true, true),
		on("deletecollection", "ecsreleases", "", false, true, true),
		on("get", "ecsendpoints", "", true, true, true),
		on("list", "ecsendpoints", "", true, true, true),
		on("watch", "ecsendpoints", "", true, true, true),
		on("get", "ecsendpoints", "status", true, true, true),
		on("create", "ecsendpoints", "", false, true, true),
		on("update", "ecsendpoints", "", false, true, true),
		on("patch", "ecsendpoints", "", false, true, true),
		on("delete", "ecsendpoints", "", false, true, true),
		on("deletecollection", "ecsendpoints", "", false, true, true),
		// Nobody but the manager says what is so.
		on("update", "ecsreleases", "status", false, false, false),
		on("patch", "ecsreleases", "status", false, false, false),
		on("update", "ecsendpoints", "status", false, false, false),
		on("patch", "ecsendpoints", "status", false, false, false),
		// Who asks does not approve.
		on("approve", "ecsreleases", "", false, false, false),
	}
	for _, verb := range []string{"get", "list", "watch", "create", "update", "patch", "delete"} {
		matrix = append(matrix,
			verdict{access: object(verb, group, "ecsenvironments", "", "", "any")},
			verdict{access: object(verb, group, "ecsenvironments", "status", "", "any")})
	}
	for _, role := range []string{"view", "edit", "admin"} {
		user := userWith(t, role, namespace)
		eventually(t, 20*time.Second, func() error {
			for _, v := range matrix {
				want := map[string]bool{"view": v.view, "edit": v.edit, "admin": v.admin}[role]
				if got := may(t, user, v.access); got != want {
					return fmt.Errorf("role %s may %s: %v, want %v", role, v.access, got, want)
				}
			}
			return nil
		})
	}
}

func TestTheRolesOfEnvironmentsAreForThoseWhoGetThemExplicitly(t *testing.T) {
	for role, writes := range map[string]bool{"ecsrelease-environment-viewer": false, "ecsrelease-environment-admin": true} {
		user := "user-of-" + role
		bind(t, &rbacv1.ClusterRoleBinding{
			ObjectMeta: metav1.ObjectMeta{Name: user},
			RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: role},
			Subjects:   []rbacv1.Subject{{APIGroup: rbacv1.GroupName, Kind: rbacv1.UserKind, Name: user}},
		})
		eventually(t, 20*time.Second, func() error {
			for verb, want := range map[string]bool{"get": true, "list": true, "watch": true, "create": writes, "update": writes, "patch": writes, "delete": writes} {
				a := object(verb, group, "ecsenvironments", "", "", "any")
				if got := may(t, user, a); got != want {
					return fmt.Errorf("with role %s one may %s: %v, want %v", role, a, got, want)
				}
			}
			// Promotion goes by the status, which the manager writes.
			for _, verb := range []string{"update", "patch"} {
				if a := object(verb, group, "ecsenvironments", "status", "", "any"); may(t, user, a) {
					return fmt.Errorf("with role %s one may %s", role, a)
				}
			}
			return nil
		})
	}
}

func TestApprovingIsGivenExplicitly(t *testing.T) {
	const namespace, approver = "default", "ecsrelease-release-approver"
	binding := func(user string) *rbacv1.RoleBinding {
		return &rbacv1.RoleBinding{
			ObjectMeta: metav1.ObjectMeta{Name: user, Namespace: namespace},
			RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: approver},
			Subjects:   []rbacv1.Subject{{APIGroup: rbacv1.GroupName, Kind: rbacv1.UserKind, Name: user}},
		}
	}
	bind(t, binding("user-of-approver"))
	eventually(t, 20*time.Second, func() error {
		for verb, want := range map[string]bool{
			"approve": true, "get": true, "list": true, "watch": true, "patch": true,
			"create": false, "update": false, "delete": false, "deletecollection": false,
		} {
			a := object(verb, group, "ecsreleases", "", namespace, "any")
			if got := may(t, "user-of-approver", a); got != want {
				return fmt.Errorf("an approver may %s: %v, want %v", a, got, want)
			}
		}
		return nil
	})
	for _, a := range []access{
		object("approve", group, "ecsreleases", "", "kube-system", "any"),
		object("patch", group, "ecsreleases", "status", namespace, "any"),
	} {
		if may(t, "user-of-approver", a) {
			t.Errorf("an approver may %s", a)
		}
	}
	// An admin of the namespace holds everything else that the role has, and can make bindings.
	admin := userWith(t, "admin", namespace)
	bindings := object("create", rbacv1.GroupName, "rolebindings", "", namespace, "")
	eventually(t, 20*time.Second, func() error {
		if !may(t, admin, bindings) {
			return fmt.Errorf("an admin may not %s", bindings)
		}
		return nil
	})
	err := impersonate(t, admin).Create(t.Context(), binding(admin+"-approves"), client.DryRunAll)
	if !apierrors.IsForbidden(err) || !strings.Contains(err.Error(), `Verbs:["approve"]`) {
		t.Errorf("an admin who makes themself an approver gets %v, want it forbidden for the verb approve", err)
	}
}

// userWith is a user who has a built-in role in a namespace, as kube-controller-manager, which
// is no part of a test's control plane, would fill that role in.
func userWith(t *testing.T, role, namespace string) string {
	t.Helper()
	filled := &rbacv1.ClusterRole{ObjectMeta: metav1.ObjectMeta{Name: "filled-" + role}, Rules: aggregated(t, role)}
	if err := shared.client.Create(t.Context(), filled); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { remove(t, filled) })
	user := "user-of-" + role
	bind(t, &rbacv1.RoleBinding{
		ObjectMeta: metav1.ObjectMeta{Name: user, Namespace: namespace},
		RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: filled.Name},
		Subjects:   []rbacv1.Subject{{APIGroup: rbacv1.GroupName, Kind: rbacv1.UserKind, Name: user}},
	})
	return user
}

// aggregated are the rules of a role with those of all roles that its selectors select.
func aggregated(t *testing.T, name string) []rbacv1.PolicyRule {
	t.Helper()
	var role rbacv1.ClusterRole
	if err := shared.client.Get(t.Context(), client.ObjectKey{Name: name}, &role); err != nil {
		t.Fatal(err)
	}
	if role.AggregationRule == nil {
		return role.Rules
	}
	var rules []rbacv1.PolicyRule
	for i := range role.AggregationRule.ClusterRoleSelectors {
		selector, err := metav1.LabelSelectorAsSelector(&role.AggregationRule.ClusterRoleSelectors[i])
		if err != nil {
			t.Fatal(err)
		}
		var parts rbacv1.ClusterRoleList
		if err := shared.client.List(t.Context(), &parts, client.MatchingLabelsSelector{Selector: selector}); err != nil {
			t.Fatal(err)
		}
		for _, part := range parts.Items {
			rules = append(rules, aggregated(t, part.Name)...)
		}
	}
	return rules
}

func bind(t *testing.T, binding client.Object) {
	t.Helper()
	if err := shared.client.Create(t.Context(), binding); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { remove(t, binding) })
}
