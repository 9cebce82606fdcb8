package awssim

import (
	"bytes"
	"encoding/json"
	"maps"
	"slices"
	"time"
)

// announcement is what a service of AWS's tells the default bus of an account and region.
type announcement struct {
	source     string // "aws.ecs"
	detailType string
	resources  []string   // ARNs
	detail     func() any // is asked only where a rule may want it
}

// envelope is an event as EventBridge delivers it ("Amazon EventBridge events").
type envelope struct {
	Version    string   `json:"version"`
	ID         string   `json:"id"`
	DetailType string   `json:"detail-type"`
	Source     string   `json:"source"`
	Account    string   `json:"account"`
	Time       string   `json:"time"`
	Region     string   `json:"region"`
	Resources  []string `json:"resources"`
	Detail     any      `json:"detail"`
}

// EventBridge's time is in whole seconds, that of most details in milliseconds.
const (
	secondsLayout = "2006-01-02T15:04:05Z"
	millisLayout  = "2006-01-02T15:04:05.000Z"
)

func isoSeconds(t time.Time) string { return t.UTC().Format(secondsLayout) }

func isoMillis(t time.Time) string { return t.UTC().Format(millisLayout) }

// announce sends what a service tells on its way to the targets of the rules that match.
func (b *eventBus) announce(w *world, a announcement) {
	var event *publishedEvent
	for _, name := range slices.Sorted(maps.Keys(b.rules)) {
		r := b.rules[name]
		if !r.enabled || len(r.targets) == 0 || !r.pattern.mayMatch(a.source, a.detailType) {
			continue
		}
		if event == nil {
			event = b.publish(w, a)
		}
		if !r.pattern.matches(event.members) {
			continue
		}
		for _, id := range slices.Sorted(maps.Keys(r.targets)) {
			w.dispatch(b.region, r, r.targets[id], event)
		}
	}
}

// publishedEvent is an event that some rule may want.
type publishedEvent struct {
	envelope envelope
	at       time.Time
	body     string
	members  map[string]any // as patterns see it
}

func (b *eventBus) publish(w *world, a announcement) *publishedEvent {
	now := w.now()
	e := &publishedEvent{at: now, envelope: envelope{
		Version: "0", ID: b.uuid(), DetailType: a.detailType, Source: a.source, Account: b.region.account.id,
		Time: isoSeconds(now), Region: b.region.name, Resources: a.resources, Detail: a.detail(),
	}}
	if e.envelope.Resources == nil {
		e.envelope.Resources = []string{}
	}
	body, err := marshalJSON(e.envelope)
	if err == nil {
		e.body = string(body)
		decoder := json.NewDecoder(bytes.NewReader(body))
		decoder.UseNumber() // as the patterns are read
		err = decoder.Decode(&e.members)
	}
	if err != nil {
		panic("awssim: writing an event: " + err.Error()) // a detail that no JSON can hold is a bug
	}
	return e
}

// uuid draws the ID of an event.
func (b *eventBus) uuid() string {
	id := make([]byte, 32)
	for i := range id {
		id[i] = hexDigits[b.random.IntN(len(hexDigits))]
	}
	h := string(id)
	return h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:]
}
