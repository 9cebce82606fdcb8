package cloud

import (
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

func TestAFamilyIsRegisteredInOnlyByWhoLookedSinceTheLastTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var turns registrations
		family := familyKey{account: "111122223333", region: "ap-south-1", family: "helium-backend"}
		other := familyKey{account: "111122223333", region: "us-east-1", family: "helium-backend"}
		begin := func(key familyKey, looked time.Time, want bool, who string) time.Duration {
			t.Helper()
			told := turns.wait(key, looked)
			wait, ok := turns.begin(key, looked)
			if told != wait {
				t.Errorf("%s: asked before, the wait was %s, then it is %s", who, told, wait)
			}
			if ok != want {
				t.Fatalf("%s: let through: %t, want %t (wait %s)", who, ok, want, wait)
			}
			return wait
		}

		looked := time.Now()
		begin(family, looked, true, "the first")
		begin(family, looked, false, "a second one meanwhile")
		begin(other, looked, true, "another region")
		time.Sleep(time.Second)
		turns.end(family, true, false)

		begin(family, looked, false, "one who looked before the last one ended")
		time.Sleep(time.Millisecond)
		looked = time.Now()
		begin(family, looked, true, "one who looked again")
		turns.end(family, false, false)
		begin(family, looked, true, "the same, after a registration that was refused")
		turns.end(family, false, true)

		time.Sleep(time.Millisecond)
		if wait := begin(family, time.Now(), false, "one after an answer was lost"); wait <= 0 || wait > doubtfulFamily {
			t.Errorf("told to wait %s, want up to %s", wait, doubtfulFamily)
		}
		time.Sleep(doubtfulFamily)
		begin(family, time.Now(), true, "one who looked when that was over")
	})
}

func TestFamiliesInWhichNothingIsRegisteredAreForgotten(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		turns := &w.fleet.registrations
		family := func(name string) familyKey { return familyKey{account: account, region: region, family: name} }
		register := func(name string) {
			t.Helper()
			if wait, ok := turns.begin(family(name), time.Now()); !ok {
				t.Fatalf("%s has to wait for %s", name, wait)
			}
		}
		stale := time.Now()
		for i := range 1000 {
			name := fmt.Sprintf("preview-%d", i)
			register(name)
			turns.end(family(name), i%2 == 0, false)
		}
		turns.touch(family("touched"))
		register("under-way")
		time.Sleep(memoryIdle)
		register("recent")
		turns.end(family("recent"), true, false)
		register("doubtful")
		turns.end(family("doubtful"), false, true)
		time.Sleep(2 * sessionIdle)

		var remembered []string
		turns.mu.Lock()
		for key := range turns.families {
			remembered = append(remembered, key.family)
		}
		turns.mu.Unlock()
		slices.Sort(remembered)
		if want := []string{"doubtful", "recent", "under-way"}; !slices.Equal(remembered, want) {
			t.Errorf("%d families are remembered, among them %v, want %v", len(remembered), remembered[:min(3, len(remembered))], want)
		}
		if _, ok := turns.begin(family("preview-0"), stale); ok {
			t.Error("one who looked before a registration that is forgotten is let through")
		}
		register("preview-0")
		register("new")
	})
}
