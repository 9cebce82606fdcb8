// Package rollout decides. It takes what a release wants, what was observed of a service and
// what is remembered of it, and says which state the service is in and what the next step is.
// Values in, values out: no clock, no context, no I/O; time is a parameter.
package rollout
