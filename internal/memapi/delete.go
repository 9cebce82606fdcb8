package memapi

import (
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// remove deletes an object, or has it wait for its finalizers.
func (s *Server) remove(q *request) (answer, error) {
	found, err := s.find(q)
	if err != nil {
		return answer{}, err
	}
	var options metav1.DeleteOptions
	if len(q.body) > 0 {
		if err := json.Unmarshal(q.body, &options); err != nil {
			return answer{}, apierrors.NewBadRequest(err.Error())
		}
	}
	old := &unstructured.Unstructured{Object: found.content}
	if err := q.deletable(old, options.Preconditions); err != nil {
		return answer{}, err
	}
	if len(old.GetFinalizers()) == 0 {
		s.drop(q, found)
		return q.deleted(old), nil
	}
	if old.GetDeletionTimestamp() != nil {
		return answer{status: http.StatusOK, body: found.raw}, nil
	}
	waiting := &unstructured.Unstructured{Object: runtime.DeepCopyJSON(found.content)}
	now, grace := metav1.NewTime(time.Now().UTC().Truncate(time.Second)), int64(0)
	waiting.SetDeletionTimestamp(&now)
	waiting.SetDeletionGracePeriodSeconds(&grace)
	if q.resource.custom != nil {
		waiting.SetGeneration(waiting.GetGeneration() + 1)
	}
	return answer{status: http.StatusOK, body: s.commit(q, found, waiting.Object).raw}, nil
}

// deletable checks the preconditions of a delete, if there are any.
func (q *request) deletable(u *unstructured.Unstructured, p *metav1.Preconditions) error {
	if p == nil {
		return nil
	}
	kind := schema.GroupResource{Group: q.resource.gvr.Group, Resource: q.resource.kind}
	if p.UID != nil && *p.UID != u.GetUID() {
		return apierrors.NewConflict(kind, q.Name, fmt.Errorf("the UID in the precondition (%s) does not match the UID in record (%s). "+
			"The object might have been deleted and then recreated", *p.UID, u.GetUID()))
	}
	if p.ResourceVersion != nil && *p.ResourceVersion != u.GetResourceVersion() {
		return apierrors.NewConflict(kind, q.Name, fmt.Errorf("the ResourceVersion in the precondition (%s) does not match the ResourceVersion in record (%s). "+
			"The object might have been modified", *p.ResourceVersion, u.GetResourceVersion()))
	}
	return nil
}

// deleted is the answer to a delete after which the object is gone.
func (q *request) deleted(u *unstructured.Unstructured) answer {
	done := failure(&apierrors.StatusError{ErrStatus: metav1.Status{Status: metav1.StatusSuccess, Details: &metav1.StatusDetails{
		Name: q.Name, Group: q.resource.gvr.Group, Kind: q.Resource, UID: u.GetUID(),
	}}})
	done.status = http.StatusOK
	return done
}
