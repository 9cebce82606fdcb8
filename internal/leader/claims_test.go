package leader_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-logr/logr"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/leaderelection/resourcelock"

	"heliumai.space/ecsrelease/internal/leader"
	"heliumai.space/ecsrelease/internal/memapi"
)

// longest is how long a call takes at most.
const longest = 5 * time.Second

var timing = leader.Timing{
	Lease: time.Minute, RenewDeadline: 40 * time.Second, Retry: 8 * time.Second,
	Margin: 6 * time.Second, Wait: 8*time.Second + longest,
}

// taken is within what time somebody who waits for a lease notices that it can be had.
const taken = 3 * 8 * time.Second

// process is one that claims things for a manager.
type process struct {
	*leader.Claims
	clients kubernetes.Interface
	leads   atomic.Bool
	cut     atomic.Bool // its requests come to nothing
	stale   atomic.Bool // it can't renew anything, though it could give it back
	stop    context.CancelFunc
	ended   chan struct{}
	events  atomic.Int32
}

// transport refuses everything while a process is cut off.
func (p *process) transport(next http.RoundTripper) http.RoundTripper {
	return roundTripper(func(request *http.Request) (*http.Response, error) {
		if p.cut.Load() {
			return nil, errors.New("cut off")
		}
		if p.stale.Load() && request.Method == http.MethodPut {
			body, err := io.ReadAll(request.Body)
			if err != nil {
				return nil, err
			}
			if bytes.Contains(body, []byte(`"holderIdentity":"a"`)) {
				return nil, errors.New("cut off")
			}
			request.Body = io.NopCloser(bytes.NewReader(body))
		}
		return next.RoundTrip(request)
	})
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(request *http.Request) (*http.Response, error) { return f(request) }

// inBubble gives a test an API server, and a way to start processes of managers.
func inBubble(t *testing.T, test func(t *testing.T, start func(manager string) *process)) {
	t.Helper()
	kinds, err := memapi.NewKinds()
	if err != nil {
		t.Fatal(err)
	}
	synctest.Test(t, func(t *testing.T) {
		server := memapi.New(memapi.Options{Kinds: kinds})
		test(t, func(manager string) *process {
			p := &process{ended: make(chan struct{})}
			p.leads.Store(true)
			clients, err := kubernetes.NewForConfig(server.ConfigThrough(manager, p.transport))
			if err != nil {
				t.Fatal(err)
			}
			p.clients = clients
			p.Claims = leader.NewClaims(timing, func(name string) (resourcelock.Interface, error) {
				return &resourcelock.LeaseLock{
					LeaseMeta: metav1.ObjectMeta{Namespace: "kube-system", Name: name}, Client: p.clients.CoordinationV1(),
					LockConfig: resourcelock.ResourceLockConfig{Identity: manager},
				}, nil
			}, func() error {
				if !p.leads.Load() {
					return errors.New("another leads")
				}
				return nil
			}, func(string) { p.events.Add(1) })
			ctx, stop := context.WithCancel(logr.NewContext(context.Background(), logr.Discard()))
			p.stop = stop
			go func() {
				defer close(p.ended)
				if err := p.Start(ctx); err != nil {
					t.Error(err)
				}
			}()
			t.Cleanup(func() { stop(); <-p.ended })
			return p
		})
	})
}

func (p *process) want(t *testing.T, wanted bool) {
	t.Helper()
	if err := p.Want("production", wanted); err != nil {
		t.Fatal(err)
	}
}

// enter begins something under the claim, which the process must have.
func (p *process) enter(t *testing.T) (leave func()) {
	t.Helper()
	leave, ok := p.Enter("production")
	if !ok {
		t.Fatal("what is held can't be entered")
	}
	return leave
}

// rivals are a process that holds the claim, and one of another manager that wants it too.
func rivals(t *testing.T, start func(string) *process) (holder, rival *process) {
	t.Helper()
	holder, rival = start("a"), start("b")
	holder.want(t, true)
	synctest.Wait()
	rival.want(t, true)
	return holder, rival
}

// has fails the test unless the process has the claim, or has it not.
func (p *process) has(t *testing.T, wanted bool, when string) {
	t.Helper()
	synctest.Wait()
	if err := p.Held("production"); (err == nil) != wanted {
		t.Errorf("%s: %v, want it held: %t", when, err, wanted)
	}
	leave, ok := p.Enter("production")
	if ok {
		leave()
	}
	if ok != wanted {
		t.Errorf("%s: it can be entered: %t, want %t", when, ok, wanted)
	}
}

func TestAClaimHasOneHolder(t *testing.T) {
	inBubble(t, func(t *testing.T, start func(string) *process) {
		a, b := start("a"), start("b")
		a.has(t, false, "before it is wanted")
		a.want(t, true)
		a.has(t, true, "when it is wanted")
		if a.events.Load() == 0 {
			t.Error("nobody was told that it was taken")
		}
		b.want(t, true)
		for range 100 {
			time.Sleep(time.Minute)
			a.has(t, true, "for as long as it is wanted")
			b.has(t, false, "while another holds it")
		}
	})
}

func TestAClaimIsGivenBackWhenNothingIsDoneUnderIt(t *testing.T) {
	inBubble(t, func(t *testing.T, start func(string) *process) {
		a, b := rivals(t, start)
		leave := a.enter(t)
		a.want(t, false)
		time.Sleep(10 * time.Minute)
		b.has(t, false, "while something is done under it")
		if _, ok := a.Enter("production"); ok {
			t.Error("it is entered although it is to be given back")
		}
		if err := a.Gate("production", 5*time.Second); err != nil {
			t.Errorf("what was begun can't be ended: %v", err)
		}
		leave()
		synctest.Wait()
		a.has(t, false, "when it was given back")
		if err := a.Gate("production", time.Second); err == nil {
			t.Error("the gate is open without the lease")
		}
		time.Sleep(taken)
		b.has(t, true, "when it was given back")
		if err := b.Gate("production", 5*time.Second); err != nil {
			t.Errorf("of what was given back nothing is under way, and the gate says: %v", err)
		}
		a.want(t, true)
		b.want(t, false)
		time.Sleep(taken)
		a.has(t, true, "when it was wanted again")
	})
}

func TestAClaimThatWasNeverTakenIsGivenUpAtOnce(t *testing.T) {
	inBubble(t, func(t *testing.T, start func(string) *process) {
		a, b := rivals(t, start)
		time.Sleep(time.Minute)
		b.want(t, false)
		synctest.Wait()
		a.want(t, false)
		time.Sleep(taken)
		b.has(t, false, "when it was given up")
		b.want(t, true)
		time.Sleep(taken)
		b.has(t, true, "when it was wanted again")
	})
}

func TestTheNextLeaderOfAManagerGoesOnWithItsClaims(t *testing.T) {
	inBubble(t, func(t *testing.T, start func(string) *process) {
		dead, other := rivals(t, start)
		time.Sleep(time.Minute)
		dead.cut.Store(true)
		dead.leads.Store(false)
		next := start("a")
		next.want(t, true)
		next.has(t, true, "at once, by the next leader")
		if err := next.Gate("production", 5*time.Second); err != nil {
			t.Errorf("the lease of the leader says when calls of the last one have ended, and this one says: %v", err)
		}

		// It wakes up, renews what is not its own any more, and is told to end.
		dead.cut.Store(false)
		time.Sleep(time.Minute)
		dead.stop()
		<-dead.ended
		lease, err := next.clients.CoordinationV1().Leases("kube-system").Get(t.Context(), "production", metav1.GetOptions{})
		if err != nil {
			t.Fatal(err)
		}
		if holder := lease.Spec.HolderIdentity; holder == nil || *holder != "a" {
			t.Errorf("the last leader gave away what is the next one's: %v", lease.Spec)
		}
		for range 10 {
			time.Sleep(taken)
			next.has(t, true, "after the last leader has ended")
			other.has(t, false, "after the last leader has ended")
		}
	})
}

func TestAClaimOfADeadManagerExpires(t *testing.T) {
	inBubble(t, func(t *testing.T, start func(string) *process) {
		dead, other := rivals(t, start)
		time.Sleep(time.Minute)
		dead.cut.Store(true)
		began := time.Now()
		for other.Held("production") != nil {
			if dead.Held("production") != nil && time.Since(began) < timing.Lease-timing.Margin-2*timing.Retry {
				t.Fatalf("the dead manager does not hold it after %s", time.Since(began))
			}
			time.Sleep(100 * time.Millisecond)
			if dead.Held("production") == nil && other.Held("production") == nil {
				t.Fatal("both hold it")
			}
		}
		if lasted := time.Since(began); lasted > timing.Lease+taken {
			t.Errorf("it was taken over after %s", lasted)
		}
		if err := other.Gate("production", time.Second); err == nil {
			t.Error("the gate is open while calls of the dead manager may be under way")
		}
		time.Sleep(timing.Wait)
		if err := other.Gate("production", time.Second); err != nil {
			t.Errorf("when they have ended the gate says: %v", err)
		}
		dead.cut.Store(false)
		for range 10 {
			time.Sleep(taken)
			dead.has(t, false, "when it wakes up")
			other.has(t, true, "when the other wakes up")
		}
	})
}

// Somebody deletes the lease, at any time in the life of it and of who waits for it.
func TestAClaimWhoseLeaseIsDeletedHasOneHolder(t *testing.T) {
	for i := range 24 {
		inBubble(t, func(t *testing.T, start func(string) *process) {
			a, b := start("a"), start("b")
			a.want(t, true)
			synctest.Wait()
			defer a.enter(t)()
			a.want(t, false)
			time.Sleep(time.Duration(i) * 1300 * time.Millisecond)
			b.want(t, true)
			time.Sleep(time.Duration(i)*700*time.Millisecond + 20*time.Second)
			if err := a.clients.CoordinationV1().Leases("kube-system").Delete(t.Context(), "production", metav1.DeleteOptions{}); err != nil {
				t.Fatal(err)
			}
			var last time.Time // that a might begin a call
			opened := false
			for range 1200 {
				time.Sleep(50 * time.Millisecond)
				if a.Gate("production", longest) == nil {
					last = time.Now()
				}
				if b.Gate("production", longest) != nil {
					continue
				}
				opened = true
				if since := time.Since(last); since < longest {
					t.Fatalf("the gate opened %s after that of the last holder was open, whose calls take up to %s", since, longest)
				}
			}
			lease, err := a.clients.CoordinationV1().Leases("kube-system").Get(t.Context(), "production", metav1.GetOptions{})
			if err != nil {
				t.Fatal(err)
			}
			if *lease.Spec.HolderIdentity == "b" && !opened {
				t.Error("the lease was taken, and the gate never opened")
			}
		})
	}
}

func TestAClaimThatCannotBeRenewedIsNotGivenBackUnderAPass(t *testing.T) {
	inBubble(t, func(t *testing.T, start func(string) *process) {
		a, b := rivals(t, start)
		leave := a.enter(t)
		time.Sleep(time.Minute)
		a.stale.Store(true)
		for b.Held("production") != nil {
			time.Sleep(100 * time.Millisecond)
		}
		if err := a.Gate("production", time.Millisecond); err == nil {
			t.Error("both hold it")
		}
		if err := b.Gate("production", time.Second); err == nil {
			t.Error("the gate is open while calls of the last holder may be under way")
		}
		leave()
	})
}

func TestWhoEndsGivesItsClaimsBack(t *testing.T) {
	inBubble(t, func(t *testing.T, start func(string) *process) {
		a, b := rivals(t, start)
		leave := a.enter(t)
		a.stop()
		time.Sleep(time.Minute)
		b.has(t, false, "while something is done under it")
		leave()
		<-a.ended
		time.Sleep(taken)
		b.has(t, true, "when it was given back")
	})
}
