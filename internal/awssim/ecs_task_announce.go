package awssim

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"time"
)

// announce tells of a task each time its version is a new one ("Amazon ECS task state change
// events"). The detail is the task as DescribeTasks shows it, but for the times, which are
// text, and for what events do not have.
func (t *task) announce(v taskView) {
	if v.Version == t.announced {
		return
	}
	t.announced = v.Version
	t.service.announce("ECS Task State Change", t.arn, func() any {
		detail := taskDetail(v)
		detail["updatedAt"] = isoMillis(t.service.state.world.now())
		return detail
	})
}

// taskDetail is a task in the words of an event.
func taskDetail(v taskView) map[string]any {
	v.Attachments = slices.Clone(v.Attachments) // DescribeTasks goes on showing the others
	for i := range v.Attachments {
		v.Attachments[i].Type = "eni" // what DescribeTasks calls ElasticNetworkInterface
	}
	document, err := json.Marshal(v)
	detail := map[string]any{}
	if err == nil {
		err = json.Unmarshal(document, &detail)
	}
	if err != nil {
		panic("awssim: writing a task: " + err.Error()) // it was answered to DescribeTasks
	}
	for name, value := range detail {
		if seconds, isTime := value.(float64); isTime && strings.HasSuffix(name, "At") {
			detail[name] = isoMillis(time.UnixMilli(int64(seconds*1000 + 0.5)))
		}
	}
	maps.DeleteFunc(detail, func(name string, _ any) bool { return name == "healthStatus" || name == "tags" })
	for _, c := range detail["containers"].([]any) {
		delete(c.(map[string]any), "healthStatus")
	}
	return detail
}
