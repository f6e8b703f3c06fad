package canary

import "errors"

// Port is a TCP port of a container.
type Port struct {
	Name   string
	Number int
}

// Used is what a container takes at the moment.
type Used struct {
	Pod, Container string
	NanoCPU        int64 // billionths of a core
	MemoryBytes    int64
}

// ErrNoAnswer says that a pod has not answered a request, though the API server was there to pass it on.
var ErrNoAnswer = errors.New("no answer of the pod")

// ErrAbsent says that the cluster does not have what was asked for.
var ErrAbsent = errors.New("not in this cluster")
