package simulation

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
)

// Coverage counts what runs came across, by kind and name.
type Coverage struct {
	mu     sync.Mutex
	counts map[string]int
}

func newCoverage() *Coverage { return &Coverage{counts: map[string]int{}} }

// NewCoverage is an empty one, to add runs to.
func NewCoverage() *Coverage { return newCoverage() }

func (c *Coverage) count(kind, name string) { c.add(kind+" "+name, 1) }

func (c *Coverage) add(key string, n int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.counts[key] += n
}

// Add adds what another counted.
func (c *Coverage) Add(other *Coverage) {
	other.mu.Lock()
	defer other.mu.Unlock()
	for key, n := range other.counts {
		c.add(key, n)
	}
}

// Missing are those of the wanted that were not come across.
func (c *Coverage) Missing(wanted []string) []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	var missing []string
	for _, key := range wanted {
		if c.counts[key] == 0 {
			missing = append(missing, key)
		}
	}
	slices.Sort(missing)
	return missing
}

// String is a table, one line for each kind.
func (c *Coverage) String() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	byKind := map[string][]string{}
	for _, key := range slices.Sorted(maps.Keys(c.counts)) {
		kind, name, _ := strings.Cut(key, " ")
		byKind[kind] = append(byKind[kind], fmt.Sprintf("%s %d", name, c.counts[key]))
	}
	var text strings.Builder
	for _, kind := range slices.Sorted(maps.Keys(byKind)) {
		fmt.Fprintf(&text, "%-8s %s\n", kind, strings.Join(byKind[kind], ", "))
	}
	return text.String()
}
