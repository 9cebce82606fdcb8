// Package memapi is a Kubernetes API server in memory, for tests in virtual time. It speaks the
// real protocol, so that the real client, the real caches, the real event recorder and the real
// leader election work against it through [Server.Config]; no socket, no goroutine and no clock
// of its own is involved, so all of it works in a testing/synctest bubble.
//
// # The contract
//
// It serves Namespaces, Leases, Events (events.k8s.io/v1) and the custom resources whose CRDs it
// is given. What it does, it does as kube-apiserver does; one conformance suite holds both to it:
//
//   - Create sets uid, creationTimestamp, resourceVersion and, for custom resources, generation 1;
//     it drops status where there is a status subresource; a name that is taken is AlreadyExists, a
//     namespace that does not exist NotFound.
//   - Custom resources are pruned, defaulted and validated with the packages that kube-apiserver
//     itself uses: the structural schema, list types, and CEL with ratcheting.
//   - Update and patch of the object leave status alone; update and patch of status leave all else
//     alone. generation grows when anything but metadata and status changes.
//   - A resourceVersion in an update or a patch that is not the present one is a Conflict. Custom
//     resources and Leases can't be updated without one. A write that changes nothing keeps the
//     resourceVersion, except the first one after a creation if status has a default: that is
//     shown, but not stored with the creation.
//   - Merge patches work for all, strategic merge patches for the built-in types, JSON patches and
//     server-side apply for none (415).
//   - Delete honours preconditions of uid and resourceVersion, and finalizers: an object that has
//     some gets a deletionTimestamp and goes when the last one does.
//   - Get and list are always of the present. List and watch take label selectors and field
//     selectors of metadata.name and metadata.namespace.
//   - A watch begins at a resourceVersion, or with the initial events and a bookmark that ends
//     them. It ends after timeoutSeconds. One from before [Server.Compact] says that it is
//     410 Expired, in an event, and ends.
//
// Not there, and refused where it could be noticed: discovery, admission, authentication,
// authorization, managedFields, server-side apply, pagination (a list is always whole), dry run,
// deleting collections, deleting namespaces, and creating by an update. Of the built-in kinds
// metadata is validated and nothing else. Unknown fields are pruned without a warning.
//
// # Trouble
//
// [Options] has hooks that make calls fail in every way in which a call over a network can fail,
// and watches lag, and one that is told of every change before anybody else is.
package memapi
