package screen

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"

	ecsv1alpha1 "heliumai.space/ecsrelease/api/v1alpha1"
)

// path is a way in that is drawn.
type path struct {
	endpoint *ecsv1alpha1.EcsEndpoint
	now      time.Time
	terminal Terminal
	// names is how wide the names of hops are.
	names int
}

// Path is a way in at a time: what it is about, its hops from the outside in with a column for each
// region, and what is in the way. In a terminal no line is wider and, by leaving out the hops that lead
// on first, the whole is not higher than that.
func Path(endpoint *ecsv1alpha1.EcsEndpoint, now time.Time, terminal Terminal) []string {
	p := &path{endpoint: endpoint, now: now, terminal: terminal}
	rows := hopRows(endpoint.Status.Hops)
	for _, r := range rows {
		p.names = max(p.names, length(string(r.name)))
	}
	head, body, foot := p.header(), p.chain(rows), p.findings()
	if room := terminal.Height; room > 0 && len(head)+len(body)+len(foot) > room {
		const least = 4 // of the header: the names and how it is
		head = head[:max(least, min(len(head), room/3))]
		bad := slices.DeleteFunc(slices.Clone(rows), hopRow.leadsOn)
		body = p.chain(bad)
		if n := len(rows) - len(bad); n > 0 {
			body = append(body, words(faint, fmt.Sprintf("  … and %d hops that lead on", n)))
		}
	}
	lines := append(append(head, body...), foot...)
	if room := terminal.Height; room > 0 && len(lines) > room {
		hidden := len(lines) - room + 1
		lines = append(lines[:room-1], words(faint, fmt.Sprintf("… and %d lines more", hidden)))
	}
	drawn := make([]string, 0, len(lines))
	for _, l := range lines {
		drawn = append(drawn, l.render(terminal.Width, terminal.Color))
	}
	return drawn
}

// header is what a way in is about, field by field.
func (p *path) header() []line {
	e := p.endpoint
	m, says := pathMark(e), "not known yet"
	if ready := readyIn(e.Status.Conditions); lookedAt(e) {
		says = fmt.Sprintf("%s (%s) for %s", ready.Status, ready.Reason, age(ready.LastTransitionTime, p.now))
	}
	lines := []line{
		field("Name", words(strong, e.Name)),
		field("Namespace", words(plain, e.Namespace)),
		field("Hostname", words(strong, e.Spec.Hostname)),
		field("Ready", line{{m.sign + " " + says, m.ink}}),
	}
	return append(lines, paragraph("Message", pathMessage(e), plain, p.terminal)...)
}

// hopRow is a hop in each of the regions that it is about.
type hopRow struct {
	name ecsv1alpha1.HopName
	hops []*ecsv1alpha1.Hop
}

// everywhere says that the hop is one for all regions.
func (r hopRow) everywhere() bool { return r.hops[0].Region == "" }

// leadsOn says that the hop leads on in every region.
func (r hopRow) leadsOn() bool {
	return !slices.ContainsFunc(r.hops, func(h *ecsv1alpha1.Hop) bool { return h.State != ecsv1alpha1.HopWell })
}

// hopRows are the hops of a way in, those of one name together, in their order.
func hopRows(hops []ecsv1alpha1.Hop) []hopRow {
	var rows []hopRow
	for i := range hops {
		h := &hops[i]
		at := slices.IndexFunc(rows, func(r hopRow) bool { return r.name == h.Name })
		if at < 0 {
			at, rows = len(rows), append(rows, hopRow{name: h.Name})
		}
		rows[at].hops = append(rows[at].hops, h)
	}
	return rows
}

// chain is the hops in lines, below an empty one: what is one for all regions in one line, the rest in
// columns.
func (p *path) chain(rows []hopRow) []line {
	if len(rows) == 0 {
		return nil
	}
	lines := []line{{}}
	for len(rows) > 0 {
		n := slices.IndexFunc(rows, hopRow.everywhere)
		if n == 0 {
			lines = append(lines, append(p.lead(rows[0], rows[0].hops[0]), p.cell(rows[0].hops[0])...))
			rows = rows[1:]
			continue
		}
		if n < 0 {
			n = len(rows)
		}
		lines = append(lines, p.columns(rows[:n])...)
		rows = rows[n:]
	}
	return lines
}

// columns are hops with a column for each region. Regions that find no room are drawn below the others.
func (p *path) columns(rows []hopRow) []line {
	const (
		least = 11 // a mark and the longest state
		most  = 48 // of what was seen, in a file
	)
	var regions []string
	widest := least
	for _, r := range rows {
		for _, h := range r.hops {
			if !slices.Contains(regions, h.Region) {
				regions = append(regions, h.Region)
				widest = max(widest, length(h.Region))
			}
		}
	}
	room, across := most, len(regions)
	if p.terminal.Width > 0 {
		all := p.terminal.Width - p.indent() + gap
		across = max(1, min(across, all/(widest+gap)))
		room = max(widest, all/across-gap)
	}
	var lines []line
	for shown := range slices.Chunk(regions, across) {
		widths := make([]int, len(shown))
		head := words(plain, strings.Repeat(" ", p.indent()))
		for i, region := range shown {
			widths[i] = length(region)
			for _, r := range rows {
				widths[i] = max(widths[i], min(room, p.cell(r.in(region)).length()))
			}
			head = append(head, span{pad(region, widths[i]), faint}, span{strings.Repeat(" ", gap), plain})
		}
		lines = append(lines, head[:len(head)-1])
		for _, r := range rows {
			var hops []*ecsv1alpha1.Hop
			for _, region := range shown {
				hops = append(hops, r.in(region))
			}
			l := p.lead(r, hops...)
			for i, h := range hops {
				cell := p.cell(h).cut(widths[i])
				if l = append(l, cell...); i < len(hops)-1 {
					l = append(l, span{strings.Repeat(" ", widths[i]-cell.length()+gap), plain})
				}
			}
			lines = append(lines, l)
		}
	}
	return lines
}

// in is the hop in a region; nil where it is not about that.
func (r hopRow) in(region string) *ecsv1alpha1.Hop {
	if i := slices.IndexFunc(r.hops, func(h *ecsv1alpha1.Hop) bool { return h.Region == region }); i >= 0 {
		return r.hops[i]
	}
	return nil
}

// here marks the hop that Ready is about.
const here = "▶ "

// indent is where the hops begin, behind their names.
func (p *path) indent() int { return length(here) + p.names + gap }

// lead begins the line of some hops: with their name and, if it is one of them, the mark of that which
// Ready is about.
func (p *path) lead(r hopRow, hops ...*ecsv1alpha1.Hop) line {
	name := pad(string(r.name), p.names+gap)
	for _, h := range hops {
		if p.first(h) {
			return line{{here, p.mark(h).ink}, {name, strong}}
		}
	}
	return line{{strings.Repeat(" ", length(here)), plain}, {name, plain}}
}

// cell is a hop in few words: what was seen where it leads on, its state where it does not.
func (p *path) cell(h *ecsv1alpha1.Hop) line {
	if h == nil {
		return nil
	}
	m := p.mark(h)
	if h.State == ecsv1alpha1.HopWell {
		return line{{m.sign + " ", m.ink}, {clean(h.Seen), plain}}
	}
	return words(m.ink, m.sign+" "+string(h.State))
}

func (p *path) mark(h *ecsv1alpha1.Hop) mark { return hopMark(h.State, p.endpoint.Status.Wired != nil) }

// first says that a hop is the one that Ready is about.
func (p *path) first(h *ecsv1alpha1.Hop) bool {
	return h != nil && p.endpoint.Status.Hop != "" && hopName(h) == p.endpoint.Status.Hop
}

// findings are what is in the way, the hop that Ready is about first and in full, the others in short.
func (p *path) findings() []line {
	var lines, others []line
	for i := range p.endpoint.Status.Hops {
		switch h := &p.endpoint.Status.Hops[i]; {
		case p.first(h):
			lines = append(lines, p.finding(h)...)
		case h.State != ecsv1alpha1.HopWell && h.State != ecsv1alpha1.HopUnreached:
			others = append(others, p.short(h)...)
		}
	}
	if len(others) > 0 {
		lines = append(append(lines, line{}), others...)
	}
	return lines
}

// finding is a hop with what was seen, what was wanted and what to do, below an empty line.
func (p *path) finding(h *ecsv1alpha1.Hop) []line {
	m, name := p.mark(h), hopName(h)
	if readyIn(p.endpoint.Status.Conditions).Reason == ecsv1alpha1.ReasonUnwired {
		name = "next: " + name
	}
	lines := []line{{}, {{here, m.ink}, {name, strong}, {fmt.Sprintf(": %s for %s", h.State, age(h.Since, p.now)), m.ink}}}
	for _, said := range []struct {
		name, text string
		ink        ink
	}{{"  seen", h.Seen, plain}, {"  wanted", h.Wanted, plain}, {"  to do", h.Action, waiting}} {
		if said.text != "" {
			lines = append(lines, paragraph(said.name, clean(said.text), said.ink, p.terminal)...)
		}
	}
	return lines
}

// short is a hop that somebody should look at too.
func (p *path) short(h *ecsv1alpha1.Hop) []line {
	m := p.mark(h)
	text := fmt.Sprintf("%s: %s for %s: %s", hopName(h), h.State, age(h.Since, p.now), clean(h.Seen))
	if h.Action != "" {
		text += "; to do: " + clean(h.Action)
	}
	sign := m.sign + " "
	var lines []line
	for _, part := range wrapped(text, max(0, p.terminal.Width-length(sign))) {
		lines = append(lines, line{{sign, m.ink}, {part, plain}})
		sign = strings.Repeat(" ", length(sign))
	}
	return lines
}

// hopName names a hop and its region, as status.hop does.
func hopName(h *ecsv1alpha1.Hop) string {
	if h.Region == "" {
		return string(h.Name)
	}
	return string(h.Name) + " in " + h.Region
}

// lookedAt says that what the status says is of the spec as it is now.
func lookedAt(e *ecsv1alpha1.EcsEndpoint) bool {
	return e.Status.ObservedGeneration == e.Generation && readyIn(e.Status.Conditions).ObservedGeneration == e.Generation
}

// pathMark is the mark of a way in. One that was never whole waits for whoever builds it.
func pathMark(e *ecsv1alpha1.EcsEndpoint) mark {
	switch ready := readyIn(e.Status.Conditions); {
	case !lookedAt(e):
		return markUnknown
	case ready.Reason == ecsv1alpha1.ReasonReachableWithWarnings:
		return markWarning
	case ready.Status == "True":
		return markWell
	case ready.Status == "Unknown":
		return markUnknown
	case ready.Reason == ecsv1alpha1.ReasonUnwired:
		return markPerson
	case meta.IsStatusConditionTrue(e.Status.Conditions, ecsv1alpha1.ConditionStalled):
		return markFailed
	default:
		return markMoving
	}
}

// pathMessage is what Ready says, or why it says nothing about what is asked for now.
func pathMessage(e *ecsv1alpha1.EcsEndpoint) string {
	return said("endpoint", e.Generation, e.Status.ObservedGeneration, e.Status.Conditions)
}

// pathPhrase is the reason of Ready, or that there is nothing to say yet.
func pathPhrase(e *ecsv1alpha1.EcsEndpoint) string {
	switch ready := readyIn(e.Status.Conditions); {
	case !lookedAt(e):
		return "Observing"
	case ready.Reason == ecsv1alpha1.ReasonReachable:
		return "Ready"
	case ready.Status == "True":
		return fmt.Sprintf("Ready (%s)", ready.Reason)
	default:
		return ready.Reason
	}
}

// PathHeadline is how a way in is in few words: two that have the same are no news.
func PathHeadline(e *ecsv1alpha1.EcsEndpoint) string {
	said := pathPhrase(e)
	if e.Status.Hop != "" && lookedAt(e) {
		said += " at " + e.Status.Hop
	}
	return said
}

// PathChanges are the changes from one look at a way in to the next, a line each, for logs. Without a
// look before, it is one line about how it is.
func PathChanges(before, after *ecsv1alpha1.EcsEndpoint, now time.Time, _ Flags) []string {
	var changes []string
	say := func(format string, args ...any) { changes = append(changes, fmt.Sprintf(format, args...)) }
	if before != nil {
		for i := range after.Status.Hops {
			h := &after.Status.Hops[i]
			was := slices.IndexFunc(before.Status.Hops, func(b ecsv1alpha1.Hop) bool { return hopName(&b) == hopName(h) })
			if was >= 0 && before.Status.Hops[was].State != h.State && h.State != ecsv1alpha1.HopUnreached {
				say("%s: %s, %s", hopName(h), h.State, clean(h.Seen))
			}
		}
	}
	if before == nil || PathHeadline(before) != PathHeadline(after) {
		say("%s: %s", pathPhrase(after), pathMessage(after))
	}
	return stamped(changes, now)
}
