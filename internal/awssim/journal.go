package awssim

import (
	"cmp"
	"encoding/json"
	"slices"
	"strings"
	"time"
)

// JournalEntry is one call of the AWS API as the simulator saw it. Calls are in the order in
// which they took effect. Status and Code of a call that was executed are those of the
// operation, even where a fault told the client something else.
type JournalEntry struct {
	Sequence     uint64             `json:"sequence"`            // 1 for the first call since the start
	Time         time.Time          `json:"time"`                // when it took effect, or was refused
	Principal    string             `json:"principal,omitempty"` // ARN; empty if the signature was refused
	Account      string             `json:"account,omitempty"`
	Region       string             `json:"region,omitempty"`
	Service      string             `json:"service"`
	Operation    string             `json:"operation"`
	RequestID    string             `json:"requestId"`
	Request      json.RawMessage    `json:"request,omitempty"` // absent where it is longer than 64 KiB
	RequestBytes int                `json:"requestBytes"`
	Status       int                `json:"status"`          // HTTP status; 0 if there was none to send
	Code         string             `json:"code,omitempty"`  // AWS's error code
	Executed     bool               `json:"executed"`        // the operation ran; it may have answered an error
	Lost         bool               `json:"lost,omitempty"`  // the client did not get the operation's answer
	Fault        string             `json:"fault,omitempty"` // ID of the fault it suffered
	Actions      []AuthorizedAction `json:"actions,omitempty"`

	counted callKey
}

// AuthorizedAction is one decision of IAM's about a call.
type AuthorizedAction struct {
	Action   string `json:"action"`
	Resource string `json:"resource"`
	Allowed  bool   `json:"allowed"`
}

// JournalFilter selects entries; an empty field selects all.
type JournalFilter struct {
	Principal string    // the ARN, with * and ?
	Account   string    // with * and ?
	Service   string    // with * and ?
	Operation string    // with * and ?
	Since     time.Time // at or after
	After     uint64    // with a greater sequence number
}

// JournalSummary counts the calls since the start or the last reset. No call is missing,
// those included that the journal itself has dropped.
type JournalSummary struct {
	Calls   []CallCount   `json:"calls"`
	Actions []ActionCount `json:"actions"`
	Dropped uint64        `json:"dropped"` // entries that the journal no longer has
}

// CallCount counts one principal's calls of one operation in one region.
type CallCount struct {
	Account   string `json:"account"`
	Principal string `json:"principal"` // name of the role or user, "root", or "" if the signature was refused
	Region    string `json:"region"`
	Service   string `json:"service"`
	Operation string `json:"operation"`
	Calls     uint64 `json:"calls"`
	Succeeded uint64 `json:"succeeded"` // executed and answered 200, whether or not the answer arrived
	Throttled uint64 `json:"throttled"`
	Failed    uint64 `json:"failed"` // any other error
	Lost      uint64 `json:"lost"`   // the answer did not arrive
}

// ActionCount counts what IAM decided about one action of one principal.
type ActionCount struct {
	Account   string `json:"account"`
	Principal string `json:"principal"`
	Action    string `json:"action"`
	Allowed   uint64 `json:"allowed"`
	Denied    uint64 `json:"denied"`
}

type callKey struct{ account, principal, region, service, operation string }

type actionKey struct{ account, principal, action string }

const (
	journalEntries    = 20000
	journalBytes      = 64 << 20 // of requests
	journalEntryBytes = 64 << 10
)

// journal keeps the newest entries, up to a number of them and of bytes, and counts all.
type journal struct {
	limit    int
	sequence uint64
	entries  []*JournalEntry // the live ones begin at head
	head     int
	bytes    int
	dropped  uint64
	calls    map[callKey]*CallCount
	actions  map[actionKey]*ActionCount
}

func newJournal(limit int) journal {
	if limit <= 0 {
		limit = journalEntries
	}
	return journal{limit: limit, calls: map[callKey]*CallCount{}, actions: map[actionKey]*ActionCount{}}
}

// add files an entry whose outcome is known. principal is the name to count it under.
func (j *journal) add(e *JournalEntry, principal string) {
	j.sequence++
	e.Sequence = j.sequence
	if e.RequestBytes > journalEntryBytes {
		e.Request = nil
	}
	j.entries = append(j.entries, e)
	j.bytes += len(e.Request)
	for len(j.entries)-j.head > j.limit || j.bytes > journalBytes {
		j.bytes -= len(j.entries[j.head].Request)
		j.entries[j.head] = nil
		j.head++
		j.dropped++
	}
	if j.head > len(j.entries)/2 {
		j.entries = slices.Clone(j.entries[j.head:])
		j.head = 0
	}
	j.count(e, principal)
}

func (j *journal) count(e *JournalEntry, principal string) {
	e.counted = callKey{e.Account, principal, e.Region, e.Service, e.Operation}
	count := j.calls[e.counted]
	if count == nil {
		count = &CallCount{Account: e.Account, Principal: principal, Region: e.Region, Service: e.Service, Operation: e.Operation}
		j.calls[e.counted] = count
	}
	count.Calls++
	switch {
	case e.Code == "ThrottlingException" || e.Code == "Throttling":
		count.Throttled++
	case e.Code != "":
		count.Failed++
	case e.Executed:
		count.Succeeded++
	}
	if e.Lost {
		count.Lost++
	}
	for _, a := range e.Actions {
		key := actionKey{e.Account, principal, a.Action}
		action := j.actions[key]
		if action == nil {
			action = &ActionCount{Account: e.Account, Principal: principal, Action: a.Action}
			j.actions[key] = action
		}
		if a.Allowed {
			action.Allowed++
		} else {
			action.Denied++
		}
	}
}

// lose notes that the client did not get the answer after all.
func (j *journal) lose(e *JournalEntry) {
	if e.Lost {
		return
	}
	e.Lost = true
	if count := j.calls[e.counted]; count != nil {
		count.Lost++
	}
}

// Journal lists the calls that the filter selects, in the order in which they took effect.
func (s *Simulator) Journal(filter JournalFilter) []JournalEntry {
	s.mu.Lock()
	defer s.mu.Unlock()
	selected := []JournalEntry{}
	entries := s.journal.entries[s.journal.head:]
	first, _ := slices.BinarySearchFunc(entries, filter.After+1, func(e *JournalEntry, sequence uint64) int {
		return cmp.Compare(e.Sequence, sequence)
	})
	for _, e := range entries[first:] {
		if filter.selects(e) {
			entry := *e
			entry.Actions = slices.Clone(e.Actions)
			selected = append(selected, entry)
		}
	}
	return selected
}

func (f *JournalFilter) selects(e *JournalEntry) bool {
	return e.Sequence > f.After && !e.Time.Before(f.Since) &&
		matchOrEmpty(f.Principal, e.Principal) && matchOrEmpty(f.Account, e.Account) &&
		matchOrEmpty(f.Service, e.Service) && matchOrEmpty(f.Operation, e.Operation)
}

func matchOrEmpty(pattern, text string) bool { return pattern == "" || match(pattern, text) }

// Summary counts all calls since the start or the last reset.
func (s *Simulator) Summary() JournalSummary {
	s.mu.Lock()
	defer s.mu.Unlock()
	summary := JournalSummary{Calls: []CallCount{}, Actions: []ActionCount{}, Dropped: s.journal.dropped}
	for _, count := range s.journal.calls {
		summary.Calls = append(summary.Calls, *count)
	}
	for _, count := range s.journal.actions {
		summary.Actions = append(summary.Actions, *count)
	}
	slices.SortFunc(summary.Calls, func(a, b CallCount) int {
		return slices.Compare(
			[]string{a.Account, a.Principal, a.Region, a.Service, a.Operation},
			[]string{b.Account, b.Principal, b.Region, b.Service, b.Operation})
	})
	slices.SortFunc(summary.Actions, func(a, b ActionCount) int {
		return strings.Compare(a.Account+"\x00"+a.Principal+"\x00"+a.Action, b.Account+"\x00"+b.Principal+"\x00"+b.Action)
	})
	return summary
}

// ResetJournal forgets every call and every count. Sequence numbers go on.
func (s *Simulator) ResetJournal() {
	s.mu.Lock()
	defer s.mu.Unlock()
	sequence := s.journal.sequence
	s.journal = newJournal(s.journal.limit)
	s.journal.sequence = sequence
}
