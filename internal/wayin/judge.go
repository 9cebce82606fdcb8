package wayin

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	ecsv1alpha1 "heliumai.space/ecsrelease/api/v1alpha1"
	"heliumai.space/ecsrelease/internal/rollout"
)

// judge looks at one way in.
type judge struct {
	spec *ecsv1alpha1.EcsEndpointSpec
	seen *Seen
	now  time.Time
	hops []ecsv1alpha1.Hop
	// behind are the hops that those of hops that were not reached are behind, by their index.
	behind map[int]ecsv1alpha1.HopName
	// delayed are those that could not be looked at for a while.
	delayed map[int]bool
	// region is the region that is being looked at; "": all.
	region string
}

// Judge says of every hop whether it leads on, from the outside in, and for each of them in the order
// of the regions. A hop that does not says what was wanted, and what to do. Since is not set.
func Judge(spec *ecsv1alpha1.EcsEndpointSpec, seen *Seen, now time.Time) []ecsv1alpha1.Hop {
	return judged(spec, seen, now).hops
}

// Recall is Judge, for when AWS did not answer for a while: hops of which nothing is known for that, and
// those that are behind them, are as they were before, if that is known.
func Recall(spec *ecsv1alpha1.EcsEndpointSpec, seen *Seen, now time.Time, before []ecsv1alpha1.Hop) []ecsv1alpha1.Hop {
	j := judged(spec, seen, now)
	recalled := slices.Clone(j.hops)
	for i := range recalled {
		if !j.unseen(i) {
			continue
		}
		for _, b := range before {
			if b.Name == recalled[i].Name && b.Region == recalled[i].Region && b.State != ecsv1alpha1.HopUnreached {
				recalled[i] = b
				break
			}
		}
	}
	return recalled
}

// unseen says that nothing is known of a hop for a while, since it could not be looked at, or one could
// not that it is behind.
func (j *judge) unseen(i int) bool {
	h := j.hops[i]
	if h.State != ecsv1alpha1.HopUnreached {
		return j.delayed[i]
	}
	for k, b := range j.hops {
		if k != i && b.Name == j.behind[i] && (b.Region == h.Region || b.Region == "" || h.Region == "") && j.unseen(k) {
			return true
		}
	}
	return false
}

func judged(spec *ecsv1alpha1.EcsEndpointSpec, seen *Seen, now time.Time) *judge {
	j := &judge{spec: spec, seen: seen, now: now, behind: map[int]ecsv1alpha1.HopName{}, delayed: map[int]bool{}}
	if spec.AcceleratorARN != "" {
		j.acceleratedRecord()
		j.accelerator()
		j.acceleratorListener()
		j.each(j.endpointGroup)
		j.each(j.acceleratorEndpoint)
	} else {
		j.each(j.balancedRecord)
	}
	j.each(j.balancer)
	j.each(j.listener)
	j.each(j.certificate)
	j.each(j.rule)
	j.each(j.targets)
	j.probe()
	return j
}

// each looks at a hop in every region.
func (j *judge) each(look func(*ecsv1alpha1.EndpointRegion, *Region)) {
	for i := range j.spec.Regions {
		wanted := &j.spec.Regions[i]
		seen := j.seen.Regions[wanted.Region]
		if seen == nil {
			seen = &Region{}
		}
		j.region = wanted.Region
		look(wanted, seen)
	}
	j.region = ""
}

// leads notes that a hop leads on.
func (j *judge) leads(name ecsv1alpha1.HopName, format string, args ...any) {
	j.note(name, ecsv1alpha1.HopWell, fmt.Sprintf(format, args...), "", "")
}

// note notes what a hop is like.
func (j *judge) note(name ecsv1alpha1.HopName, state ecsv1alpha1.HopState, seen, wanted, action string) {
	j.hops = append(j.hops, ecsv1alpha1.Hop{
		Name: name, Region: j.region, State: state, Seen: clip(seen), Wanted: clip(wanted), Action: clip(action),
	})
}

// unknown notes that a hop could not be looked at, and why, and says whether that is so.
func (j *judge) unknown(name ecsv1alpha1.HopName, problem *rollout.Problem) bool {
	if problem == nil {
		return false
	}
	j.worst(name, []verdict{unknown(problem)})
	return true
}

// askedAgain is what to do about a hop of which nothing is known now.
const askedAgain = "nothing: it is asked again"

// verdict is what a hop is like, or the part of it that is of one service.
type verdict struct {
	state                ecsv1alpha1.HopState
	seen, wanted, action string
	delayed              bool // it could not be looked at for a while
}

// rank puts the best verdict first.
func (v verdict) rank() int {
	return slices.Index([]ecsv1alpha1.HopState{
		ecsv1alpha1.HopWell, ecsv1alpha1.HopWarning, ecsv1alpha1.HopUnknown, ecsv1alpha1.HopPending, ecsv1alpha1.HopMissing, ecsv1alpha1.HopBroken,
	}, v.state)
}

const rankWarning = 1

func finding(state ecsv1alpha1.HopState, seen, wanted, action string) verdict {
	return verdict{state: state, seen: seen, wanted: wanted, action: action}
}

func well(format string, args ...any) verdict {
	return verdict{state: ecsv1alpha1.HopWell, seen: fmt.Sprintf(format, args...)}
}

// unknown is the verdict on what could not be looked at.
func unknown(problem *rollout.Problem) verdict {
	switch {
	case problem.Delay():
		v := finding(ecsv1alpha1.HopUnknown, problem.Message, "an answer of AWS", askedAgain)
		v.delayed = true
		return v
	case problem.Class == rollout.ProblemMissing:
		return finding(ecsv1alpha1.HopMissing, problem.Message, "that it is there", "create it, or correct the endpoint")
	case problem.Class == rollout.ProblemDenied:
		return finding(ecsv1alpha1.HopUnknown, problem.Message, "an answer of AWS", "permit what it names to the environment's role")
	default:
		return finding(ecsv1alpha1.HopUnknown, problem.Message, "an answer of AWS", "mend what it names")
	}
}

// worst notes the worst of verdicts on a hop: what was seen of all that are as bad, and what to do about
// the first of them.
func (j *judge) worst(name ecsv1alpha1.HopName, found []verdict) {
	first := slices.MaxFunc(found, func(a, b verdict) int { return cmp.Compare(a.rank(), b.rank()) })
	var seen []string
	for _, v := range found {
		if v.state == first.state {
			seen = append(seen, v.seen)
		}
	}
	if first.rank() > rankWarning {
		seen = seen[:1]
	}
	j.delayed[len(j.hops)] = first.delayed
	j.note(name, first.state, list(seen), first.wanted, first.action)
}

// unreached notes that a hop was not looked at, since one before it is not there.
func (j *judge) unreached(name, before ecsv1alpha1.HopName) {
	j.behind[len(j.hops)] = before
	j.note(name, ecsv1alpha1.HopUnreached, fmt.Sprintf("not looked at: %s comes first", before), "", "")
}

// clip keeps a text within what a hop holds.
func clip(s string) string { return clipTo(s, 512) }

// clipTo is a text in at most so many bytes, and always valid UTF-8.
func clipTo(s string, most int) string {
	s = strings.ToValidUTF8(s, "\uFFFD")
	if len(s) <= most {
		return s
	}
	s = s[:most-len("…")]
	for !utf8.ValidString(s) {
		s = s[:len(s)-1]
	}
	return s + "…"
}
