package controllers_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"path/filepath"
	"strconv"
	"strings"
	"sync"

	eventsv1 "k8s.io/api/events/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	toolscache "k8s.io/client-go/tools/cache"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"

	ecsv1alpha1 "heliumai.space/ecsrelease/api/v1alpha1"
	"heliumai.space/ecsrelease/config/argocd"
	"heliumai.space/ecsrelease/internal/rollout"
)

// canary is a word that only environment variables of tasks contain. It must show up nowhere
// in what the controller writes.
const canary = "canary-5ecre7"

// witness watches every release and every event of the suite, and holds each status that it
// ever sees against the contract of kstatus and Flux.
type witness struct {
	mu         sync.Mutex
	violations map[string][]string        // by namespace
	events     map[string][]string        // by namespace, as "Type Reason: note"
	reasons    map[string]map[string]bool // of conditions and of services' states, by namespace
	shown      map[string][]string        // by namespace, how healthy Argo CD calls its releases
	leaks      []error
}

func newWitness(ctx context.Context, s *suite) (*witness, error) {
	w := &witness{violations: map[string][]string{}, events: map[string][]string{}, reasons: map[string]map[string]bool{}, shown: map[string][]string{}}
	objects, err := cache.New(s.config, cache.Options{Scheme: s.scheme})
	if err != nil {
		return nil, fmt.Errorf("setting up the witness: %w", err)
	}
	for object, note := range map[client.Object]func(any){
		&ecsv1alpha1.EcsRelease{}: w.noteRelease,
		&eventsv1.Event{}:         w.noteEvent,
	} {
		informer, err := objects.GetInformer(ctx, object, cache.BlockUntilSynced(false))
		if err != nil {
			return nil, fmt.Errorf("setting up the witness: %w", err)
		}
		handler := toolscache.ResourceEventHandlerFuncs{AddFunc: note, UpdateFunc: func(_, now any) { note(now) }}
		if _, err := informer.AddEventHandler(handler); err != nil {
			return nil, fmt.Errorf("setting up the witness: %w", err)
		}
	}
	go func() { _ = objects.Start(ctx) }() // it ends with ctx, and returns nothing else
	if !objects.WaitForCacheSync(ctx) {
		return nil, errors.New("the witness sees nothing")
	}
	return w, nil
}

func (w *witness) noteRelease(object any) {
	release, ok := object.(*ecsv1alpha1.EcsRelease)
	if !ok {
		return
	}
	problems := contract(release)
	status, err := json.Marshal(release.Status)
	if err != nil {
		problems = append(problems, err.Error())
	}
	shown, problem := argoHealth(release)
	if problem != "" {
		problems = append(problems, problem)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.shown[release.Namespace] = append(w.shown[release.Namespace], shown)
	reasons := w.reasons[release.Namespace]
	if reasons == nil {
		reasons = map[string]bool{}
		w.reasons[release.Namespace] = reasons
	}
	for _, condition := range release.Status.Conditions {
		reasons[condition.Reason] = true
	}
	for _, target := range release.Status.Targets {
		for _, s := range target.Services {
			reasons[s.Reason] = true
		}
	}
	for _, problem := range problems {
		w.violations[release.Namespace] = append(w.violations[release.Namespace],
			fmt.Sprintf("%s at resourceVersion %s: %s", release.Name, release.ResourceVersion, problem))
	}
	w.look("the status of "+release.Namespace+"/"+release.Name, string(status))
}

// argoHealth is how healthy Argo CD calls a release, and what is wrong with that, if anything is.
func argoHealth(release *ecsv1alpha1.EcsRelease) (shown, problem string) {
	object, err := runtime.DefaultUnstructuredConverter.ToUnstructured(release)
	if err != nil {
		return "", err.Error()
	}
	health, err := argocd.HealthOf(object)
	if err != nil {
		return "", err.Error()
	}
	if want := rollout.PhaseOf(release).Row().Health; health.Status != string(want) {
		problem = fmt.Sprintf("Argo CD shows it as %s (%s), wanted %s", health.Status, health.Message, want)
	}
	return health.Status, problem
}

func (w *witness) noteEvent(object any) {
	event, ok := object.(*eventsv1.Event)
	if !ok {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.events[event.Namespace] = append(w.events[event.Namespace], event.Type+" "+event.Reason+": "+event.Note)
	w.look("an event in "+event.Namespace, event.Note+event.Reason+event.Action)
}

// look searches for the canary; the caller holds mu.
func (w *witness) look(where, text string) {
	if strings.Contains(text, canary) {
		w.leaks = append(w.leaks, fmt.Errorf("%s contains the value of an environment variable", where))
	}
}

// violationsIn are the breaches of the contract in a namespace, in the order of the watch.
func (w *witness) violationsIn(namespace string) []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return append([]string(nil), w.violations[namespace]...)
}

// healths are how healthy Argo CD called the releases of a namespace, in the order of the watch.
func (w *witness) healths(namespace string) []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return append([]string(nil), w.shown[namespace]...)
}

// saw says whether a condition or a service in a namespace ever had the reason.
func (w *witness) saw(namespace, reason string) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.reasons[namespace][reason]
}

// eventsIn are the events of a namespace, as "Type Reason: note".
func (w *witness) eventsIn(namespace string) []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return append([]string(nil), w.events[namespace]...)
}

// contract is how a release breaks what kstatus, Flux and Argo CD's health checks rely on; nil
// when it does not.
func contract(release *ecsv1alpha1.EcsRelease) []string {
	status := release.Status
	var broken []string
	must := func(kept bool, format string, args ...any) {
		if !kept {
			broken = append(broken, fmt.Sprintf(format, args...))
		}
	}
	if len(status.Conditions) == 0 {
		must(status.ObservedGeneration == -1, "no conditions although observedGeneration is %d", status.ObservedGeneration)
		return broken
	}
	ready := meta.FindStatusCondition(status.Conditions, ecsv1alpha1.ConditionReady)
	reconciling := meta.FindStatusCondition(status.Conditions, ecsv1alpha1.ConditionReconciling)
	stalled := meta.FindStatusCondition(status.Conditions, ecsv1alpha1.ConditionStalled)
	if ready == nil {
		return append(broken, "no condition Ready")
	}
	must(status.ObservedGeneration >= 1 && status.ObservedGeneration <= release.Generation,
		"observedGeneration is %d, generation %d", status.ObservedGeneration, release.Generation)
	must(reconciling == nil || stalled == nil, "Reconciling and Stalled at the same time")
	must(reconciling == nil || reconciling.Status == metav1.ConditionTrue, "Reconciling is there without being True")
	must(stalled == nil || stalled.Status == metav1.ConditionTrue, "Stalled is there without being True")
	must(reconciling == nil || ready.Status != metav1.ConditionTrue, "Reconciling although Ready is True")
	must(stalled == nil || ready.Status == metav1.ConditionFalse, "Stalled although Ready is %s", ready.Status)
	must(ready.Status == metav1.ConditionTrue || reconciling != nil || stalled != nil, "Ready is %s, and neither Reconciling nor Stalled says why", ready.Status)
	must(ready.Status != metav1.ConditionUnknown || reconciling != nil, "Ready is Unknown without Reconciling")
	for _, kind := range []string{ecsv1alpha1.ConditionImageAvailable, ecsv1alpha1.ConditionDeployed} {
		must(meta.FindStatusCondition(status.Conditions, kind) != nil, "no condition %s", kind)
	}
	for _, condition := range status.Conditions {
		must(condition.ObservedGeneration == status.ObservedGeneration, "condition %s is of generation %d, status of %d", condition.Type, condition.ObservedGeneration, status.ObservedGeneration)
		must(condition.Message != "", "condition %s has no message", condition.Type)
		must(!condition.LastTransitionTime.IsZero(), "condition %s has no lastTransitionTime", condition.Type)
	}
	if ready.Status == metav1.ConditionTrue {
		must(status.Services > 0 && status.ReadyServices == status.Services, "Ready with %d of %d services", status.ReadyServices, status.Services)
		must(status.Failure == nil, "Ready with a failure")
		must(meta.IsStatusConditionTrue(status.Conditions, ecsv1alpha1.ConditionDeployed), "Ready without Deployed")
	}
	must(status.Failure == nil || ready.Status == metav1.ConditionFalse, "a failure, and Ready is %s", ready.Status)
	must(status.Progress == fmt.Sprintf("%d/%d services", status.ReadyServices, status.Services), "progress is %q with %d of %d services", status.Progress, status.ReadyServices, status.Services)
	return broken
}

// auditReasons compares the reasons that were seen with those that the API declares: each is
// reached by a test, and there are no others.
func (s *suite) auditReasons() error {
	file, err := parser.ParseFile(token.NewFileSet(), filepath.Join("..", "api", "v1alpha1", "conditions.go"), nil, 0)
	if err != nil {
		return fmt.Errorf("reading the reasons of the API: %w", err)
	}
	s.witness.mu.Lock()
	seen := map[string]bool{}
	for _, reasons := range s.witness.reasons {
		maps.Copy(seen, reasons)
	}
	s.witness.mu.Unlock()
	var problems []error
	ast.Inspect(file, func(node ast.Node) bool {
		constant, ok := node.(*ast.ValueSpec)
		if !ok || !strings.HasPrefix(constant.Names[0].Name, "Reason") {
			return true
		}
		reason, err := strconv.Unquote(constant.Values[0].(*ast.BasicLit).Value)
		if err != nil || !seen[reason] {
			problems = append(problems, fmt.Errorf("no test reaches the reason %s of the API", constant.Names[0].Name))
		}
		delete(seen, reason)
		return false
	})
	delete(seen, "") // a service's state that says all
	for reason := range seen {
		problems = append(problems, fmt.Errorf("the reason %s is not declared in the API", reason))
	}
	return errors.Join(problems...)
}

// auditSecrets finds values of environment variables in what the controller wrote: statuses,
// events, log lines, metrics.
func (s *suite) auditSecrets() error {
	s.witness.mu.Lock()
	leaks := append([]error(nil), s.witness.leaks...)
	s.witness.mu.Unlock()
	for _, line := range s.logs.lines(canary) {
		leaks = append(leaks, fmt.Errorf("a log line contains the value of an environment variable: %s", line))
	}
	families, err := s.manager.registry.Gather()
	if err != nil {
		leaks = append(leaks, fmt.Errorf("gathering metrics: %w", err))
	}
	for _, family := range families {
		if strings.Contains(family.String(), canary) {
			leaks = append(leaks, fmt.Errorf("metric %s contains the value of an environment variable", family.GetName()))
		}
	}
	return errors.Join(leaks...)
}
