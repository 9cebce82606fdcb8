// Package simulation runs the whole controller (the real manager, reconciler, informer and AWS
// edge) against a simulated AWS and an API server in memory, in virtual time, through days that a
// seed makes up: users who change their minds, images that fail in every way, other deployers,
// autoscaling, and faults at any call. While it goes on, and after the faults have stopped, it
// holds what happens against the promises of the project, each a sentence in a file of its own.
//
// A run is one call of [Run] in a testing/synctest bubble. Its story is told as it goes; a run
// that breaks a promise ends with it. The same seed makes the same world, the same script and the
// same faults. What Go leaves to chance (the order of goroutines that are ready in the same
// instant, jitter) is kept from mattering by giving every call a duration of its own, but it is
// not under the seed's control: a failing seed may have to be run more than once to fail again. What
// several releases look up together they are all told in the same instant.
package simulation
