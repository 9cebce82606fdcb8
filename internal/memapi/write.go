package memapi

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"path"
	"strconv"
	"time"

	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

// write does a call that changes something.
func (s *Server) write(ctx context.Context, q *request) (answer, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch q.Verb {
	case "create":
		return s.create(ctx, q)
	case "update", "patch":
		return s.change(ctx, q)
	default:
		return s.remove(q)
	}
}

func (s *Server) create(ctx context.Context, q *request) (answer, error) {
	content, err := q.decode()
	if err != nil {
		return answer{}, err
	}
	u := &unstructured.Unstructured{Object: content}
	if err := q.place(u); err != nil {
		return answer{}, err
	}
	if u.GetName() == "" && u.GetGenerateName() != "" {
		u.SetName(u.GetGenerateName() + s.suffix())
	}
	q.Name = u.GetName()
	if err := s.namespaceExists(q); err != nil {
		return answer{}, err
	}
	q.resource.ready(content)
	s.birth(q.resource, u)
	defaulted := q.resource.complete(content)
	if err := q.resource.checkNew(ctx, u); err != nil {
		return answer{}, err
	}
	if u.GetResourceVersion() != "" {
		return answer{}, errors.New("resourceVersion should not be set on objects to be created")
	}
	if _, taken := s.objects[q.resource][q.key()]; taken {
		return answer{}, apierrors.NewAlreadyExists(q.resource.gvr.GroupResource(), q.Name)
	}
	created := s.commit(q, nil, content)
	created.defaulted = defaulted
	return answer{status: http.StatusCreated, body: created.raw}, nil
}

// decode reads the body as an object of the resource.
func (q *request) decode() (map[string]any, error) {
	if q.contentType != "" && q.contentType != runtime.ContentTypeJSON {
		return nil, unsupportedMedia(q.contentType)
	}
	return q.resource.parse(q.body)
}

// place checks that an object is what and where the URL says.
func (q *request) place(u *unstructured.Unstructured) error {
	if wanted := q.resource.gvr.GroupVersion().String(); q.Verb != "patch" && u.GetAPIVersion() != wanted {
		return apierrors.NewBadRequest(fmt.Sprintf("the API version in the data (%s) does not match the expected API version (%s)", u.GetAPIVersion(), wanted))
	}
	if u.GetNamespace() == "" {
		u.SetNamespace(q.Namespace)
	}
	if u.GetNamespace() != q.Namespace {
		return apierrors.NewBadRequest("the namespace of the provided object does not match the namespace sent on the request")
	}
	if q.Name != "" && u.GetName() != q.Name {
		return apierrors.NewBadRequest(fmt.Sprintf("the name of the object (%s) does not match the name on the URL (%s)", u.GetName(), q.Name))
	}
	return nil
}

// namespaceExists says so; mu is held.
func (s *Server) namespaceExists(q *request) error {
	if !q.resource.namespaced {
		return nil
	}
	for r, objects := range s.objects {
		if r.kind == "Namespace" && objects[types.NamespacedName{Name: q.Namespace}] != nil {
			return nil
		}
	}
	return apierrors.NewNotFound(s.options.Kinds.resources[0].gvr.GroupResource(), q.Namespace)
}

// birth sets what the server alone sets.
func (s *Server) birth(r *resource, u *unstructured.Unstructured) {
	s.uids++
	u.SetUID(types.UID(fmt.Sprintf("00000000-0000-4000-8000-%012d", s.uids)))
	u.SetCreationTimestamp(metav1.NewTime(time.Now().UTC().Truncate(time.Second)))
	u.SetDeletionTimestamp(nil)
	u.SetDeletionGracePeriodSeconds(nil)
	u.SetManagedFields(nil)
	u.SetSelfLink("")
	if r.custom != nil {
		u.SetGeneration(1)
	}
}

// suffix is what is put after generateName.
func (s *Server) suffix() string {
	const letters = "bcdfghjklmnpqrstvwxz2456789"
	n := s.uids*7919 + s.version*104729 + 17
	text := make([]byte, 5)
	for i := range text {
		text[i] = letters[n%int64(len(letters))]
		n /= 3
	}
	return string(text)
}

// change updates or patches an object or its status.
func (s *Server) change(ctx context.Context, q *request) (answer, error) {
	found, err := s.find(q)
	if err != nil {
		return answer{}, err
	}
	wanted, err := q.wanted(found)
	if err != nil {
		return answer{}, err
	}
	u, old := &unstructured.Unstructured{Object: wanted}, &unstructured.Unstructured{Object: found.content}
	if err := q.place(u); err != nil {
		return answer{}, err
	}
	if err := q.precondition(u, old); err != nil {
		return answer{}, err
	}
	keep(u, old)
	u.Object = q.resource.merge(q.Subresource, wanted, found.content)
	if err := q.resource.check(ctx, q.Subresource, u, old); err != nil {
		return answer{}, err
	}
	if u.GetDeletionTimestamp() != nil && len(u.GetFinalizers()) == 0 {
		s.drop(q, found)
		return answer{status: http.StatusOK, body: encode(u.Object)}, nil
	}
	if equality.Semantic.DeepEqual(u.Object, found.content) && !found.defaulted {
		return answer{status: http.StatusOK, body: found.raw}, nil
	}
	return answer{status: http.StatusOK, body: s.commit(q, found, u.Object).raw}, nil
}

// wanted is the object as the caller wants it.
func (q *request) wanted(found *object) (map[string]any, error) {
	if q.Verb == "update" {
		return q.decode()
	}
	if content := q.merged(found); content != nil {
		return content, nil
	}
	patched, err := q.patch(found.raw)
	if err != nil {
		return nil, err
	}
	content, err := q.resource.parse(patched)
	if err != nil {
		return nil, apierrors.NewInvalid(schema.GroupKind{}, "", field.ErrorList{field.Invalid(field.NewPath("patch"), string(patched), err.Error())})
	}
	return content, nil
}

// precondition checks what the caller says of the object that it means to change.
func (q *request) precondition(u, old *unstructured.Unstructured) error {
	group := q.resource.gvr.GroupResource()
	if q.Verb == "update" && u.GetUID() != "" && u.GetUID() != old.GetUID() {
		return apierrors.NewConflict(group, q.Name, fmt.Errorf("StorageError: invalid object, Code: 4, Key: %s, ResourceVersion: 0, "+
			"AdditionalErrorMsg: Precondition failed: UID in precondition: %s, UID in object meta: %s",
			path.Join("/registry", group.Group, group.Resource, q.Namespace, q.Name), u.GetUID(), old.GetUID()))
	}
	if u.GetResourceVersion() == "" && !q.resource.unconditional {
		return apierrors.NewInvalid(schema.GroupKind{Group: group.Group, Kind: group.Resource}, q.Name,
			field.ErrorList{field.Invalid(field.NewPath("metadata", "resourceVersion"), 0, "must be specified for an update")})
	}
	if version := u.GetResourceVersion(); version != "" && version != old.GetResourceVersion() {
		return apierrors.NewConflict(group, q.Name, fmt.Errorf("the object has been modified; please apply your changes to the latest version and try again"))
	}
	return nil
}

// keep puts back what nobody but the server changes. What else must not change is checked later.
func keep(u, old *unstructured.Unstructured) {
	if u.GetUID() == "" {
		u.SetUID(old.GetUID())
	}
	u.SetCreationTimestamp(old.GetCreationTimestamp())
	if old.GetDeletionTimestamp() != nil {
		u.SetDeletionTimestamp(old.GetDeletionTimestamp())
	}
	if u.GetDeletionGracePeriodSeconds() == nil {
		u.SetDeletionGracePeriodSeconds(old.GetDeletionGracePeriodSeconds())
	}
	u.SetResourceVersion(old.GetResourceVersion())
	u.SetGeneration(old.GetGeneration())
	u.SetManagedFields(nil)
	u.SetSelfLink("")
}

// merge completes the wanted object and takes from it what the call may change, and all else from
// the old one, which is complete.
func (r *resource) merge(subresource string, wanted, old map[string]any) map[string]any {
	if r.custom == nil {
		if r.kind == "Namespace" { // its subresources change them
			wanted["spec"], wanted["status"] = old["spec"], old["status"]
		}
		return wanted
	}
	if subresource == "status" {
		merged := maps.Clone(old)
		delete(merged, "status")
		alone := map[string]any{}
		if status, ok := wanted["status"]; ok {
			alone["status"] = status
		}
		r.complete(alone)
		if status, ok := alone["status"]; ok {
			merged["status"] = status
		}
		return merged
	}
	r.complete(wanted)
	if r.status {
		delete(wanted, "status")
		if status, ok := old["status"]; ok {
			wanted["status"] = status
		}
	}
	if !equality.Semantic.DeepEqual(apartFromMetadata(wanted), apartFromMetadata(old)) {
		u := unstructured.Unstructured{Object: wanted}
		u.SetGeneration(u.GetGeneration() + 1)
	}
	return wanted
}

func apartFromMetadata(content map[string]any) map[string]any {
	rest := maps.Clone(content)
	delete(rest, "metadata")
	return rest
}

// commit makes content the present state of the object and tells everybody; mu is held.
func (s *Server) commit(q *request, old *object, content map[string]any) *object {
	s.version++
	content = withVersion(content, s.version)
	made := &object{content: content, raw: encode(content), version: s.version}
	s.objects[q.resource][q.key()] = made
	s.tell(q, old, made)
	return made
}

func encode(content map[string]any) []byte {
	raw, err := json.Marshal(content)
	if err != nil {
		panic(err) // it came from JSON
	}
	return raw
}

// drop makes an object gone; mu is held.
func (s *Server) drop(q *request, old *object) {
	s.version++
	delete(s.objects[q.resource], q.key())
	s.tell(q, old, nil)
}

// history is how many changes a watch may be behind.
const history = 5000

func (s *Server) tell(q *request, old, made *object) {
	if s.options.Observe != nil {
		change := Change{Time: time.Now(), Call: q.Call}
		if old != nil {
			change.Old = old.content
		}
		if made != nil {
			change.New = made.content
		}
		s.options.Observe(change)
	}
	change := logged{version: s.version, resource: q.resource, old: old, new: made}
	s.log = append(s.log, change)
	if len(s.log) > 2*history {
		s.expired = s.log[history-1].version
		s.log = append([]logged(nil), s.log[history:]...)
	}
	for w := range s.watchers {
		w.notice(change)
	}
}

// withVersion is an object with another resourceVersion; it shares the rest.
func withVersion(content map[string]any, version int64) map[string]any {
	copied := maps.Clone(content)
	metadata, _ := content["metadata"].(map[string]any)
	metadata = maps.Clone(metadata)
	metadata["resourceVersion"] = strconv.FormatInt(version, 10)
	copied["metadata"] = metadata
	return copied
}
