// Package controllers is the shell around the decisions: it turns Kubernetes and AWS into
// values, lets internal/rollout decide, carries out at most one step per service, and reports.
//
// One pass over a release has five phases, and Reconcile reads like them: resolve (which
// environment, which targets), observe (what ECS and ECR say), decide (what state each service
// is in, what next), act (at most one step per service), report (conditions, history, requeue).
package controllers
