package memapi

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"

	jsonpatch "gopkg.in/evanphx/json-patch.v4"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	names "k8s.io/apimachinery/pkg/api/validate/content"
	apivalidation "k8s.io/apimachinery/pkg/api/validation"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	utiljson "k8s.io/apimachinery/pkg/util/json"
	"k8s.io/apimachinery/pkg/util/strategicpatch"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

// parse reads a document as an object: of built-in kinds through their types, which drop what
// they don't know.
func (r *resource) parse(document []byte) (map[string]any, error) {
	if r.typed != nil {
		object := r.typed()
		if err := json.Unmarshal(document, object); err != nil {
			return nil, apierrors.NewBadRequest(err.Error())
		}
		normal, err := json.Marshal(object)
		if err != nil {
			return nil, apierrors.NewBadRequest(err.Error())
		}
		document = normal
	}
	var content map[string]any
	if err := utiljson.Unmarshal(document, &content); err != nil {
		return nil, apierrors.NewBadRequest(err.Error())
	}
	if content == nil {
		return nil, apierrors.NewBadRequest("there is no object")
	}
	if r.typed != nil {
		return content, nil // its metadata has been through its type with the rest
	}
	metadata, ok := content["metadata"].(map[string]any)
	if !ok {
		if content["metadata"] != nil {
			return nil, apierrors.NewBadRequest("metadata is no object")
		}
		metadata = map[string]any{}
		content["metadata"] = metadata
	}
	normal, err := normalMetadata(metadata)
	if err != nil {
		return nil, err
	}
	content["metadata"] = normal
	return content, nil
}

// normalMetadata is metadata as its type has it, which is all that the server knows of it.
func normalMetadata(metadata map[string]any) (map[string]any, error) {
	typed := &metav1.ObjectMeta{}
	raw, err := json.Marshal(metadata)
	if err != nil {
		return nil, apierrors.NewBadRequest(err.Error())
	}
	if err := json.Unmarshal(raw, typed); err != nil {
		return nil, apierrors.NewBadRequest("metadata: " + err.Error())
	}
	if raw, err = json.Marshal(typed); err != nil {
		return nil, apierrors.NewBadRequest(err.Error())
	}
	var normal map[string]any
	if err := utiljson.Unmarshal(raw, &normal); err != nil {
		return nil, apierrors.NewBadRequest(err.Error())
	}
	return normal, nil
}

// ready makes of what a caller creates what is stored.
func (r *resource) ready(content map[string]any) {
	if r.status {
		delete(content, "status")
	}
	if r.kind == "Namespace" {
		u := unstructured.Unstructured{Object: content}
		labels := u.GetLabels()
		if labels == nil {
			labels = map[string]string{}
		}
		labels[corev1.LabelMetadataName] = u.GetName()
		u.SetLabels(labels)
		content["spec"] = map[string]any{"finalizers": []any{string(corev1.FinalizerKubernetes)}}
		content["status"] = map[string]any{"phase": string(corev1.NamespaceActive)}
	}
}

// complete prunes and defaults an object of a custom resource, in place. It says whether a
// default stands for a whole status: such a one is not stored with the object.
func (r *resource) complete(content map[string]any) (defaulted bool) {
	if r.custom == nil {
		return false
	}
	_, had := content["status"]
	r.custom.complete(content)
	_, has := content["status"]
	return r.status && has && !had
}

// checkNew is an error if the object may not be created as it is.
func (r *resource) checkNew(ctx context.Context, u *unstructured.Unstructured) error {
	validName := apivalidation.NameIsDNSSubdomain
	if r.kind == "Namespace" {
		validName = apivalidation.ValidateNamespaceName
	}
	problems := r.mistaken(u)
	if len(problems) == 0 {
		problems = apivalidation.ValidateObjectMetaAccessor(u, r.namespaced, validName, field.NewPath("metadata"))
		if r.custom != nil {
			problems = r.custom.validateNew(ctx, problems, u.Object)
		}
	}
	return invalid(u, problems)
}

// check is an error if the object may not become what it is from the old one.
func (r *resource) check(ctx context.Context, subresource string, u, old *unstructured.Unstructured) error {
	path := field.NewPath("metadata")
	problems := apivalidation.ValidateObjectMetaAccessor(u, r.namespaced, pathSegment, path)
	problems = append(problems, apivalidation.ValidateObjectMetaAccessorUpdate(u, old, path)...)
	if mistaken := r.mistaken(u); len(mistaken) > 0 {
		return invalid(u, append(problems, mistaken...))
	}
	if r.custom != nil {
		// A real server, too, looks at the metadata of custom resources twice.
		again := apivalidation.ValidateObjectMetaAccessorUpdate(u, old, path)
		problems = append(problems, r.custom.validate(ctx, subresource, again, u.Object, old.Object)...)
	}
	return invalid(u, problems)
}

// pathSegment is what is wrong with the name of something that was created under it.
func pathSegment(name string, prefix bool) []string {
	if prefix {
		return names.IsPathSegmentPrefix(name)
	}
	return names.IsPathSegmentName(name)
}

// mistaken says that an object is of another kind or version.
func (r *resource) mistaken(u *unstructured.Unstructured) (problems field.ErrorList) {
	if u.GetKind() != r.kind {
		problems = append(problems, field.Invalid(field.NewPath("kind"), u.GetKind(), "must be "+r.kind))
	}
	if wanted := r.gvr.GroupVersion().String(); u.GetAPIVersion() != wanted {
		problems = append(problems, field.Invalid(field.NewPath("apiVersion"), u.GetAPIVersion(), "must be "+wanted))
	}
	return problems
}

// invalid is an error if there are problems.
func invalid(u *unstructured.Unstructured, problems field.ErrorList) error {
	if len(problems) == 0 {
		return nil
	}
	return apierrors.NewInvalid(u.GroupVersionKind().GroupKind(), u.GetName(), problems)
}

// patch applies the body to a document.
func (q *request) patch(document []byte) ([]byte, error) {
	strategic := q.contentType == string(types.StrategicMergePatchType) && q.resource.typed != nil
	if !strategic && q.contentType != string(types.MergePatchType) {
		return nil, unsupportedMedia(q.contentType)
	}
	if !json.Valid(q.body) {
		return nil, apierrors.NewBadRequest("invalid JSON patch")
	}
	var fields map[string]any
	if err := json.Unmarshal(q.body, &fields); err != nil {
		return nil, apierrors.NewBadRequest("error decoding patch: " + err.Error())
	}
	var patched []byte
	var err error
	if strategic {
		patched, err = strategicpatch.StrategicMergePatch(document, q.body, q.resource.typed())
	} else {
		patched, err = jsonpatch.MergePatch(document, q.body)
	}
	if err != nil {
		return nil, apierrors.NewBadRequest(err.Error())
	}
	return patched, nil
}

func unsupportedMedia(mediaType string) error {
	return &apierrors.StatusError{ErrStatus: metav1.Status{
		Status: metav1.StatusFailure, Code: http.StatusUnsupportedMediaType, Reason: metav1.StatusReasonUnsupportedMediaType,
		Message: fmt.Sprintf("the body of the request was in an unsupported format: %s", mediaType),
	}}
}
