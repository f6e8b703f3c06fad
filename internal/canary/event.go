package canary

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
)

// Event is one thing that has happened in a move.
type Event struct {
	Release    string
	Kind       EventKind
	Version    string // of Raised and Lowered
	Deployment string
	From, To   int
	Now        *Release // of Serves
	Problem    *Problem // of Trouble
}
