package main

import (
	"testing"
	"time"
)

func TestTheRowOfReleasesShowsTheMiddleAndTheTail(t *testing.T) {
	often := []string{"DescribeServices", "UpdateService"}
	got := tabulate(openGates, first, []sample{
		{300 * time.Millisecond, often},
		{100 * time.Millisecond, often},
		{200 * time.Millisecond, []string{"A", "B", "UpdateService"}},
	})
	const want = "p50 **200ms**, p99 **300ms**; 2 AWS calls in a row at the median (2 to 3), most often DescribeServices, UpdateService"
	if got.reached != want {
		t.Errorf("the row says\n%s, want\n%s", got.reached, want)
	}
	const measure = "`apply` to UpdateService, idle, gates off: a new revision is registered"
	if got.measure != measure {
		t.Errorf("the row is about %s, want %s", got.measure, measure)
	}
}

func TestACallIsCountedForTheServiceThatItNames(t *testing.T) {
	for request, want := range map[string]bool{
		`{"cluster": "open-first", "services": ["service-001", "service-002"]}`: true,
		`{"cluster": "open-first", "services": ["service-001"]}`:                false,
		`{"family": "open-service-002"}`:                                        true,
		`{"repositoryName": "helium-backend"}`:                                  true,
		``:                                                                      true,
	} {
		if got := concerns(call{Request: []byte(request)}, "service-002"); got != want {
			t.Errorf("%s concerns service-002: %t, want %t", request, got, want)
		}
	}
}
