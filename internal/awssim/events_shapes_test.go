package awssim

import (
	"encoding/json"
	"os"
	"path/filepath"
)

// loadEventShapes reads what the events look like that AWS's user guides show.
func loadEventShapes() (*serviceModel, error) {
	raw, err := os.ReadFile(filepath.Join("testdata", "events", "shapes.json"))
	if err != nil {
		return nil, err
	}
	m := new(serviceModel)
	return m, json.Unmarshal(raw, m)
}

// checkEvents looks at the events among the messages of an answer to ReceiveMessage. Messages
// that are none are nobody's business.
func checkEvents(received []byte) []string {
	var answer struct{ Messages []struct{ Body string } }
	if err := json.Unmarshal(received, &answer); err != nil {
		return []string{err.Error()}
	}
	var problems []string
	for _, m := range answer.Messages {
		event, _ := decodeNumbers([]byte(m.Body)).(map[string]any)
		detailType, isEvent := event["detail-type"].(string)
		if !isEvent {
			continue
		}
		conformance.Lock()
		conformance.exercised["event."+detailType] = true
		conformance.Unlock()
		check := &shapeCheck{model: conformance.events}
		check.value(detailType, detailType, event)
		problems = append(problems, check.problems...)
	}
	return problems
}
