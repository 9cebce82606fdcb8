package cloud

import (
	"container/list"
	"maps"
	"sync"
	"time"
)

// lru remembers what was used last, up to a total weight, until it is forgotten.
type lru[K comparable, V any] struct {
	mu       sync.Mutex
	capacity int
	weight   int
	order    *list.List // of *entry[K, V], the most recently used first
	entries  map[K]*list.Element
}

type entry[K comparable, V any] struct {
	key    K
	value  V
	weight int
	used   time.Time
}

func newLRU[K comparable, V any](capacity int) *lru[K, V] {
	return &lru[K, V]{capacity: capacity, order: list.New(), entries: map[K]*list.Element{}}
}

func (c *lru[K, V]) get(key K) (V, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	element, ok := c.entries[key]
	if !ok {
		var zero V
		return zero, false
	}
	c.order.MoveToFront(element)
	found := element.Value.(*entry[K, V])
	found.used = time.Now()
	return found.value, true
}

// put remembers value. One that is heavier than the whole cache is not kept.
func (c *lru[K, V]) put(key K, value V, weight int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.remove(key)
	if weight > c.capacity {
		return
	}
	c.entries[key] = c.order.PushFront(&entry[K, V]{key: key, value: value, weight: weight, used: time.Now()})
	c.weight += weight
	for c.weight > c.capacity {
		c.remove(c.order.Back().Value.(*entry[K, V]).key)
	}
}

func (c *lru[K, V]) drop(key K) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.remove(key)
}

// forget drops what was not used since a time.
func (c *lru[K, V]) forget(since time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	before := len(c.entries)
	for last := c.order.Back(); last != nil; last = c.order.Back() {
		oldest := last.Value.(*entry[K, V])
		if !oldest.used.Before(since) {
			break
		}
		c.remove(oldest.key)
	}
	if len(c.entries) == before {
		return
	}
	entries := make(map[K]*list.Element, len(c.entries)) // a map never gets smaller
	maps.Copy(entries, c.entries)
	c.entries = entries
}

func (c *lru[K, V]) remove(key K) {
	element, ok := c.entries[key]
	if !ok {
		return
	}
	c.weight -= c.order.Remove(element).(*entry[K, V]).weight
	delete(c.entries, key)
}
