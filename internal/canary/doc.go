// Package canary is the core: what a release is, which replicas a weight
// becomes, in which order they move, and what state a release is in.
//
// It is pure: standard library only, no I/O, no clock, no floating point.
package canary
