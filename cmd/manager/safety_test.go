package main

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"testing"

	coordinationv1 "k8s.io/api/coordination/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/leaderelection/resourcelock"
)

// A lease that was taken from another leader opens the gate only when the longest call of that
// leader must have ended; one that nobody held opens it at once.
func TestANewLeaderWaitsForTheCallsOfTheLastOne(t *testing.T) {
	for holder, closed := range map[string]bool{"another": true, "": false} {
		o := defaults()
		o.leaderNamespace = "system"
		if err := o.complete(); err != nil {
			t.Fatal(err)
		}
		server := httptest.NewServer(leases(t, holder))
		defer server.Close()
		election, err := newElections(&rest.Config{Host: server.URL, ContentConfig: rest.ContentConfig{ContentType: "application/json"}}, o)
		if err != nil {
			t.Fatal(err)
		}
		lock := election.lead
		if _, _, err := lock.Get(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := lock.Gate(o.callTimeout); err == nil {
			t.Errorf("held by %q: the gate is open before the lease is ours", holder)
		}
		if err := lock.Update(t.Context(), resourcelock.LeaderElectionRecord{HolderIdentity: lock.Identity()}); err != nil {
			t.Fatal(err)
		}
		if err := lock.Gate(o.callTimeout); (err != nil) != closed {
			t.Errorf("taken from %q: the gate says %v, wanted it closed: %t", holder, err, closed)
		}
	}
}

// Who holds the lease of an environment that was deleted knows at the next renewal.
func TestTheGateOfAnEnvironmentStaysClosedUntilItsLastHolderKnows(t *testing.T) {
	o := defaults()
	if timing := o.claimTiming(); timing.Wait < timing.Retry+o.callTimeout {
		t.Errorf("the gate of an environment is closed for %s, and its lease is renewed every %s", timing.Wait, timing.Retry)
	}
}

// leases serves one lease, which the holder has.
func leases(t *testing.T, holder string) http.Handler {
	t.Helper()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		lease := coordinationv1.Lease{
			TypeMeta:   metav1.TypeMeta{APIVersion: "coordination.k8s.io/v1", Kind: "Lease"},
			ObjectMeta: metav1.ObjectMeta{Namespace: "system", Name: "lease", ResourceVersion: "1"},
			Spec:       coordinationv1.LeaseSpec{HolderIdentity: &holder},
		}
		if r.Method == http.MethodPut {
			if err := json.NewDecoder(r.Body).Decode(&lease); err != nil {
				t.Error(err)
			}
		}
		w.Header().Set("Content-Type", "application/json")
		if err := json.NewEncoder(w).Encode(lease); err != nil {
			t.Error(err)
		}
	})
}
