package main

import (
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	ecsv1alpha1 "heliumai.space/ecsrelease/api/v1alpha1"
)

// What a status says is from before an order that it does not echo.
func TestAnOrderThatNobodyHasTakenIsWaitedFor(t *testing.T) {
	long := strings.Repeat("t", 300)
	for what, c := range map[string]struct {
		annotations map[string]string
		handled     *ecsv1alpha1.HandledCommands
		want        bool
	}{
		"no order":                   {nil, nil, false},
		"an empty one":               {map[string]string{ecsv1alpha1.AnnotationRetry: ""}, nil, false},
		"no command":                 {map[string]string{ecsv1alpha1.AnnotationChangeCause: "CHG-4711"}, nil, false},
		"the first":                  {map[string]string{ecsv1alpha1.AnnotationRetry: "1"}, nil, true},
		"one that was taken":         {map[string]string{ecsv1alpha1.AnnotationRetry: "1"}, &ecsv1alpha1.HandledCommands{Retry: "1"}, false},
		"one after that":             {map[string]string{ecsv1alpha1.AnnotationRetry: "12"}, &ecsv1alpha1.HandledCommands{Retry: "1"}, true},
		"one more beside it":         {map[string]string{ecsv1alpha1.AnnotationRetry: "1", ecsv1alpha1.AnnotationHold: "2/previous"}, &ecsv1alpha1.HandledCommands{Retry: "1"}, true},
		"an approval":                {map[string]string{ecsv1alpha1.AnnotationApprove: "r2-wave-0-abcd"}, &ecsv1alpha1.HandledCommands{Approve: "r1-wave-0-abcd"}, true},
		"a long one that was taken":  {map[string]string{ecsv1alpha1.AnnotationAbort: long}, &ecsv1alpha1.HandledCommands{Abort: long[:256]}, false},
		"one that was taken away":    {nil, &ecsv1alpha1.HandledCommands{Retry: "1"}, false},
		"a restart with others done": {map[string]string{ecsv1alpha1.AnnotationRestart: "3"}, &ecsv1alpha1.HandledCommands{Retry: "1", Abort: "2"}, true},
	} {
		release := &ecsv1alpha1.EcsRelease{ObjectMeta: metav1.ObjectMeta{Annotations: c.annotations}, Status: ecsv1alpha1.EcsReleaseStatus{Handled: c.handled}}
		if got := ordered(release); got != c.want {
			t.Errorf("%s: %t, wanted %t", what, got, c.want)
		}
	}
}
