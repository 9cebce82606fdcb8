package simulation

import (
	"bytes"
	"errors"
	"fmt"
	"hash/fnv"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"heliumai.space/ecsrelease/controllers"
)

// errDead is what calls of a process that has crashed come to. Nobody is there to read it.
var errDead = errors.New("the process is dead")

// border is what every call of a process passes on its way out and its answer on the way back.
// There the process can be killed or put to sleep, between any two instructions that matter.
//
// Each call takes a little time that depends on what it is, and on nothing else. So what happens
// side by side happens in an order that is the same whenever a seed is run, but for those who share a call.
type border struct {
	world *world
	name  string
	of    string // the manager that it is a process of

	mu     sync.Mutex
	calls  int
	counts map[uint64]uint64 // how often the same call was made
	killAt int               // the crossing at which the process dies; 0: none
	dead   chan struct{}
	frozen chan struct{} // closed when the process wakes up; nil while it is awake
	die    func()        // ends what is left of the process
}

func newBorder(w *world, name, of string) *border {
	return &border{world: w, name: name, of: of, counts: map[uint64]uint64{}, dead: make(chan struct{})}
}

// forget forgets how often which calls were made: that is the simulation's, and none of the process's.
func (b *border) forget() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.counts = map[uint64]uint64{}
}

// kubernetes wraps the way to the API server.
func (b *border) kubernetes(next http.RoundTripper) http.RoundTripper {
	return &crossing{border: b, next: next, least: 2 * time.Millisecond, most: 12 * time.Millisecond}
}

// aws wraps the way to AWS.
func (b *border) aws(next http.RoundTripper) http.RoundTripper {
	return &crossing{border: b, next: next, least: 20 * time.Millisecond, most: 120 * time.Millisecond}
}

// crossing is the border on one of its ways.
type crossing struct {
	border      *border
	next        http.RoundTripper
	least, most time.Duration
}

// RoundTrip implements [http.RoundTripper].
func (c *crossing) RoundTrip(r *http.Request) (*http.Response, error) {
	took, err := c.border.duration(r, c.least, c.most)
	if err != nil {
		return nil, err
	}
	if err := c.border.cross(r, took/2); err != nil {
		return nil, err
	}
	c.border.look(r)
	response, err := c.next.RoundTrip(r)
	if r.Header.Get("X-Amz-Target") != "" && changes(r) {
		c.border.world.ledger.audit()
	}
	if crossed := c.border.cross(r, took-took/2); crossed != nil {
		if response != nil {
			_ = response.Body.Close() // nobody will read it
		}
		return nil, crossed
	}
	return response, err
}

// duration is how long a call takes there and back.
func (b *border) duration(r *http.Request, least, most time.Duration) (time.Duration, error) {
	digest := fnv.New64a()
	fmt.Fprint(digest, b.world.seed, b.name, r.Method, r.URL.Path, r.Header.Get("X-Amz-Target"))
	if r.GetBody != nil {
		body, err := r.GetBody()
		if err != nil {
			return 0, fmt.Errorf("reading a request twice: %w", err)
		}
		if _, err := io.Copy(digest, body); err != nil {
			return 0, fmt.Errorf("reading a request twice: %w", err)
		}
	}
	sum := digest.Sum64()
	b.mu.Lock()
	b.counts[sum]++
	fmt.Fprint(digest, b.counts[sum])
	b.mu.Unlock()
	return least + time.Duration(digest.Sum64()%uint64(most-least)), nil
}

// cross takes its time, and is where the process dies if it is to die here, and where it stays
// while it is frozen.
func (b *border) cross(r *http.Request, took time.Duration) error {
	timer := time.NewTimer(took)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-b.dead:
		return errDead
	case <-r.Context().Done():
		return r.Context().Err()
	}
	b.mu.Lock()
	b.calls++
	dies := b.killAt != 0 && b.calls >= b.killAt
	frozen := b.frozen
	b.mu.Unlock()
	if dies {
		b.world.story.tell("process", "%s crashes at %s %s%s", b.name, r.Method, r.Header.Get("X-Amz-Target"), r.URL.Path)
		b.kill()
		b.die()
	}
	if frozen != nil {
		select {
		case <-frozen:
		case <-b.dead:
		}
	}
	select {
	case <-b.dead:
		return errDead
	default:
		return r.Context().Err()
	}
}

// kill makes the process dead. It may be called twice.
func (b *border) kill() {
	b.mu.Lock()
	defer b.mu.Unlock()
	select {
	case <-b.dead:
	default:
		close(b.dead)
	}
}

// spare takes back killAfter.
func (b *border) spare() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.killAt = 0
}

// changes says whether a request to AWS would change something.
func changes(r *http.Request) bool {
	_, operation, _ := strings.Cut(r.Header.Get("X-Amz-Target"), ".")
	return slices.Contains(mutating, operation)
}

// look holds a request that is about to leave against three promises: nothing is changed in AWS by
// a process that does not lead, nothing of an environment by a manager that does not own it, and no
// status is written but on top of the version that the process has seen.
func (b *border) look(r *http.Request) {
	if changes(r) && !b.world.chronicle.holds(leaseOf(b.of), b.name) {
		b.world.story.violate("only the leader changes anything", "%s sent %s without the lease", b.name, r.Header.Get("X-Amz-Target"))
	}
	if environment := b.concerned(r); environment != "" && !b.world.chronicle.holds(controllers.LeaseOf(environment), leaseOf(b.of)) {
		b.world.story.violate("only the owner of an environment changes anything in it", "%s of manager %q sent %s for %s without its lease", b.name, b.of, r.Header.Get("X-Amz-Target"), environment)
	}
	if r.Method == http.MethodPatch && strings.HasSuffix(r.URL.Path, "/status") && r.GetBody != nil {
		body, err := r.GetBody()
		if err != nil {
			return // it will not be sent either
		}
		text, err := io.ReadAll(body)
		if err == nil && !bytes.Contains(text, []byte(`"resourceVersion"`)) {
			b.world.story.violate("status is written on top of what was seen", "%s patched %s without a resourceVersion", b.name, r.URL.Path)
		}
	}
}

// concerned is the environment in which a request would change something; "": it would not.
func (b *border) concerned(r *http.Request) string {
	if !changes(r) {
		return ""
	}
	text, err := io.ReadAll(r.Body)
	if err != nil {
		return "" // it will not be sent either
	}
	r.Body = io.NopCloser(bytes.NewReader(text))
	for _, p := range b.world.places {
		// A family, a cluster, or the ARN of a deployment.
		for _, named := range []string{strconv.Quote(p.family), strconv.Quote(p.cluster), "/" + p.cluster + "/" + p.service + "/"} {
			if bytes.Contains(text, []byte(named)) {
				return p.realm.name
			}
		}
	}
	b.world.story.violate("the ledger is complete", "%s sent %s for no service of the world", b.name, r.Header.Get("X-Amz-Target"))
	return ""
}

// killAfter has the process die at the n-th crossing from now.
func (b *border) killAfter(n int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.killAt = b.calls + n
}

// freeze stops the process: its calls stay where they are until thaw.
func (b *border) freeze() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.frozen == nil {
		b.frozen = make(chan struct{})
	}
}

func (b *border) thaw() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.frozen != nil {
		close(b.frozen)
		b.frozen = nil
	}
}
