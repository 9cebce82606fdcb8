package main

// The module of the Prometheus operator has its CRDs in it, which config's tests install; this
// package of it is the smallest.
import _ "github.com/prometheus-operator/prometheus-operator/pkg/versionutil"
