package rollout

import (
	"encoding/json"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	ecsv1alpha1 "heliumai.space/ecsrelease/api/v1alpha1"
)

// MaxStatus is the size of a release's status, in bytes of JSON, that Bound keeps to.
const MaxStatus = 128 << 10

// keptHistory is how many entries of history are kept whatever the size.
const keptHistory = 3

// Bound is status in at most MaxStatus bytes of JSON, as far as what may be dropped allows.
// Messages of services and of what failed there are shortened first; then history goes beyond
// the last three releases, then the revisions in it, then what conditions, failure and checks say
// is cut, then facts that every look shows anew, then what only people would read. Intents, failed
// hashes, what is proven and commands handled always stay.
func Bound(status ecsv1alpha1.EcsReleaseStatus) ecsv1alpha1.EcsReleaseStatus {
	if size(&status) <= MaxStatus {
		return status
	}
	bounded := status.DeepCopy()
	for _, shrink := range []func(*ecsv1alpha1.EcsReleaseStatus){
		serviceMessages(512), serviceMessages(256), serviceMessages(128), serviceMessages(64), serviceMessages(0),
		historyTo(9), historyTo(8), historyTo(7), historyTo(6), historyTo(5), historyTo(4), historyTo(keptHistory),
		historyRevisions, conditionMessages, serviceFacts, trifles,
	} {
		shrink(bounded)
		if size(bounded) <= MaxStatus {
			break
		}
	}
	return *bounded
}

// serviceMessages cuts the messages of services and of what failed there.
func serviceMessages(limit int) func(*ecsv1alpha1.EcsReleaseStatus) {
	return func(status *ecsv1alpha1.EcsReleaseStatus) {
		for t := range status.Targets {
			services := status.Targets[t].Services
			for s := range services {
				services[s].Message = shorten(services[s].Message, limit)
				for f := range services[s].Failed {
					services[s].Failed[f].Message = shorten(services[s].Failed[f].Message, limit)
				}
			}
		}
	}
}

// historyTo drops the oldest entries of history.
func historyTo(n int) func(*ecsv1alpha1.EcsReleaseStatus) {
	return func(status *ecsv1alpha1.EcsReleaseStatus) {
		status.History = status.History[:min(len(status.History), n)]
	}
}

// historyRevisions drops the revisions from history.
func historyRevisions(status *ecsv1alpha1.EcsReleaseStatus) {
	for i := range status.History {
		status.History[i].Revisions = nil
	}
}

// conditionMessages cuts what conditions and the failure say about the whole release.
func conditionMessages(status *ecsv1alpha1.EcsReleaseStatus) {
	const limit = maxMessage / 4
	for i := range status.Conditions {
		status.Conditions[i].Message = shorten(status.Conditions[i].Message, limit)
	}
	for i := range status.Targets {
		status.Targets[i].Verification = ""
	}
	if f := status.Failure; f != nil {
		f.Message = shorten(f.Message, limit)
		f.Tasks, f.Events, f.UnhealthyTargets = f.Tasks[:min(len(f.Tasks), 1)], nil, nil
		for i := range f.Tasks {
			f.Tasks[i].Reason = shorten(f.Tasks[i].Reason, limit)
			f.Tasks[i].Results = f.Tasks[i].Results[:min(len(f.Tasks[i].Results), 1)]
			for c := range f.Tasks[i].Results {
				f.Tasks[i].Results[c].Reason = shorten(f.Tasks[i].Results[c].Reason, limit)
			}
		}
	}
}

// serviceFacts drops what services run now and since when they are in their state.
func serviceFacts(status *ecsv1alpha1.EcsReleaseStatus) {
	for t := range status.Targets {
		services := status.Targets[t].Services
		for s := range services {
			services[s].Revision, services[s].Since = "", metav1.Time{}
			if d := services[s].Deployment; d != nil {
				d.Desired, d.Weight, d.Stage = 0, nil, ""
			}
			if d := services[s].Drift; d != nil {
				d.RegisteredBy = shorten(d.RegisteredBy, 48)
			}
		}
	}
	if status.Hold != nil {
		// The revisions are found again by what they carry.
		status.Hold.Revisions = nil
	}
}

// trifles drops what only people would read, and what a look finds again.
func trifles(status *ecsv1alpha1.EcsReleaseStatus) {
	for i := range status.Conditions {
		limit := 0
		if status.Conditions[i].Type == ecsv1alpha1.ConditionReady {
			limit = maxMessage / 16
		}
		status.Conditions[i].Message = shorten(status.Conditions[i].Message, limit)
	}
	if status.Failure != nil {
		status.Failure.Tasks = nil
	}
	for i := range status.Awaiting {
		status.Awaiting[i].Expires, status.Awaiting[i].Stage = nil, ""
	}
	for t := range status.Targets {
		services := status.Targets[t].Services
		for s := range services {
			m := &services[s]
			m.Reason, m.Base = "", ""
			for f := range m.Failed {
				m.Failed[f].At = metav1.Time{}
				if f > 0 || m.Failed[f].Hash == m.Hash {
					m.Failed[f].Inputs = ""
				}
			}
			if d := m.Drift; d != nil {
				d.RegisteredBy = ""
			}
			if m.Proven != nil {
				m.Proven.Since = metav1.Time{}
			}
			if d := m.Deployment; d != nil {
				// What was reached may then count as progress once more.
				d.Stages, d.Running, d.Old, d.MaxWeight = nil, 0, 0, 0
				if d.Primary != "" {
					d.ServiceDeployment = ""
				}
			}
		}
	}
}

// size is how many bytes of JSON status takes.
func size(status *ecsv1alpha1.EcsReleaseStatus) int {
	data, err := json.Marshal(status)
	if err != nil {
		// Its types have no value that JSON cannot say.
		return 0
	}
	return len(data)
}
