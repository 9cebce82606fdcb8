// Package cloud is the edge to AWS, and the only package of the project that knows its SDK.
//
// A Fleet is every ECS service that somebody is interested in, as seen and changed from here.
// It watches them the way an informer watches Kubernetes objects: a reflector per identity,
// region and cluster sweeps its services, ten names a call, into a store of small views, and a
// view that changed enqueues its owners. What is not watched is read directly. What changes
// AWS is sent exactly once, only while the write gate is open.
//
// Three rules hold for every call:
//
//   - It takes a token of its (account, region, quota) bucket. No step waits for one in a worker; what a release looks up
//     waits for half a second at most, or for others who are looking up the same.
//   - It is made as the identity that was asked for, whose account was verified first; there is
//     no fall-back to another.
//   - Errors leave the package as values: a [rollout.Problem] with a class, or [ErrLost].
package cloud
