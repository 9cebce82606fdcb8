// Package wayin judges the way in to ECS services, hop by hop, from the record of a host name to the
// tasks behind it: whether each hop leads on, what was seen, what was wanted, and what to do. It is
// pure: what was seen in AWS is given to it.
package wayin
