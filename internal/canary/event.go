package canary

import "time"

// EventKind is what an Event tells.
type EventKind string

// The kinds of events.
const (
	Raised    EventKind = "raised"
	Lowered   EventKind = "lowered"
	Serves    EventKind = "serves"  // ready endpoints have changed
	Ready     EventKind = "ready"   // up, while other releases are not yet
	Trouble   EventKind = "trouble" // something keeps pods from serving
	Restoring EventKind = "restoring"
	Drained   EventKind = "drained"   // pods were taken out of the Service
	Relit     EventKind = "relit"     // dark pods are back in the Service
	Undrained EventKind = "undrained" // pods could not be taken out of the Service
	Unrelit   EventKind = "unrelit"   // dark pods could not be put back into the Service
	Settling  EventKind = "settling"  // at the target, and watched for a while
	Baking    EventKind = "baking"    // promoted, and stable's pods run on for a while
	// RollingOut says how many pods of a Deployment have its present template: From, of To.
	RollingOut EventKind = "rolling out"
)

// Event is one thing that has happened in a move.
type Event struct {
	Release    string
	Kind       EventKind
	Version    string // of Raised, Lowered and what is of pods
	Deployment string
	From, To   int
	Now        *Release      // of Serves
	Problem    *Problem      // of Trouble
	Pods       int           // of Drained and Relit
	For        time.Duration // of Settling
	Until      time.Time     // of Baking
	Err        error         // of Undrained and Unrelit
}
