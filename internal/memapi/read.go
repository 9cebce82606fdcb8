package memapi

import (
	"bytes"
	"cmp"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/types"
)

// serve does a call and answers it.
func (s *Server) serve(r *http.Request, q *request) answer {
	var done answer
	var err error
	switch q.Verb {
	case "get":
		done, err = s.get(q)
	case "list":
		done, err = s.list(q)
	case "watch":
		done, err = s.watch(r.Context(), q)
	default:
		done, err = s.write(r.Context(), q)
	}
	if err != nil {
		return failure(err)
	}
	return done
}

func (s *Server) get(q *request) (answer, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	found, err := s.find(q)
	if err != nil {
		return answer{}, err
	}
	return answer{status: http.StatusOK, body: found.raw}, nil
}

// find is the object that a call is about; mu is held.
func (s *Server) find(q *request) (*object, error) {
	found, ok := s.objects[q.resource][q.key()]
	if !ok {
		return nil, apierrors.NewNotFound(q.resource.gvr.GroupResource(), q.Name)
	}
	return found, nil
}

func (q *request) key() types.NamespacedName {
	return types.NamespacedName{Namespace: q.Namespace, Name: q.Name}
}

// selector is which objects of a kind a list or a watch is about.
type selector struct {
	namespace string
	labels    labels.Selector
	fields    fields.Selector
}

func (q *request) selector() (selector, error) {
	selected := selector{namespace: q.Namespace}
	var err error
	if selected.labels, err = labels.Parse(q.query.Get("labelSelector")); err != nil {
		return selected, apierrors.NewBadRequest(err.Error())
	}
	if selected.fields, err = fields.ParseSelector(q.query.Get("fieldSelector")); err != nil {
		return selected, apierrors.NewBadRequest(err.Error())
	}
	for _, requirement := range selected.fields.Requirements() {
		if requirement.Field != "metadata.name" && requirement.Field != "metadata.namespace" {
			return selected, apierrors.NewBadRequest("field label not supported: " + requirement.Field)
		}
	}
	return selected, nil
}

func (s selector) selects(content map[string]any) bool {
	meta := unstructured.Unstructured{Object: content}
	return (s.namespace == "" || s.namespace == meta.GetNamespace()) && s.labels.Matches(labels.Set(meta.GetLabels())) &&
		s.fields.Matches(fields.Set{"metadata.name": meta.GetName(), "metadata.namespace": meta.GetNamespace()})
}

// list answers all that is selected, in the order of namespace/name.
func (s *Server) list(q *request) (answer, error) {
	selected, err := q.selector()
	if err != nil {
		return answer{}, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	var body bytes.Buffer
	var next string
	if q.resource.custom != nil {
		next = `"continue":"",`
	}
	fmt.Fprintf(&body, `{"apiVersion":%q,"kind":%q,"metadata":{%s"resourceVersion":%q},"items":[`,
		q.resource.gvr.GroupVersion().String(), q.resource.kind+"List", next, strconv.FormatInt(s.version, 10))
	for i, found := range s.selected(q.resource, selected) {
		if i > 0 {
			body.WriteByte(',')
		}
		body.Write(q.resource.item(found))
	}
	body.WriteString("]}")
	return answer{status: http.StatusOK, body: body.Bytes()}, nil
}

// item is an object as it is in a list: those of built-in kinds do not say their kind there.
func (r *resource) item(o *object) []byte {
	if r.custom != nil {
		return o.raw
	}
	content := maps.Clone(o.content)
	delete(content, "apiVersion")
	delete(content, "kind")
	return encode(content)
}

// selected are the objects that a selector selects, in the order of namespace/name, which is that
// of the keys in etcd; mu is held.
func (s *Server) selected(r *resource, selected selector) []*object {
	var keys []types.NamespacedName
	for key, found := range s.objects[r] {
		if selected.selects(found.content) {
			keys = append(keys, key)
		}
	}
	slices.SortFunc(keys, func(a, b types.NamespacedName) int {
		return cmp.Compare(a.String(), b.String())
	})
	objects := make([]*object, 0, len(keys))
	for _, key := range keys {
		objects = append(objects, s.objects[r][key])
	}
	return objects
}
