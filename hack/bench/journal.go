package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"
)

// call is what AWS's journal says of one call.
type call struct {
	Sequence           uint64
	Time               time.Time
	Principal, Region  string
	Service, Operation string
	Request            json.RawMessage
}

// next are the calls of all managers since the last time that somebody asked for them.
func (w *world) next(ctx context.Context) ([]call, error) {
	var made []call
	if err := w.aws.AWS.Admin(ctx, http.MethodGet, fmt.Sprintf("journal?principal=*/ecsrelease-*&after=%d", w.last), nil, &made); err != nil {
		return nil, err
	}
	if len(made) > 0 {
		w.last = made[len(made)-1].Sequence
	}
	return made, nil
}

// looked are the services that a DescribeServices call is about, with their cluster; none of another call.
func (c *call) looked() (cluster string, services []string) {
	if c.Operation != "DescribeServices" {
		return "", nil
	}
	var request struct {
		Cluster  string
		Services []string
	}
	if err := json.Unmarshal(c.Request, &request); err != nil {
		return "", nil
	}
	return request.Cluster, request.Services
}

// updates says whether a call is the UpdateService of a service.
func (c *call) updates(cluster, service string) bool {
	var request struct{ Cluster, Service string }
	return c.Operation == "UpdateService" && json.Unmarshal(c.Request, &request) == nil &&
		request.Cluster == cluster && request.Service == service
}

// changes says whether a call is one that changes something in ECS.
func (c *call) changes() bool {
	return c.Service == "ecs" && !slices.ContainsFunc([]string{"Describe", "List"}, func(reading string) bool {
		return strings.HasPrefix(c.Operation, reading)
	})
}
