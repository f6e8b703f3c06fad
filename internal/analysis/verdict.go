package analysis

// Verdict is what a check comes to.
type Verdict string

// The verdicts. Too few observations, no data and a source that fails are inconclusive: never a pass.
const (
	Pass         Verdict = "Pass"
	Fail         Verdict = "Fail"
	Inconclusive Verdict = "Inconclusive"
)

// Result is what one check says of one release.
type Result struct {
	Check   string // its name, such as error-rate
	Verdict Verdict
	Canary  *float64 // as measured, in Unit; nil where nothing was
	Stable  *float64
	Bound   *float64 // what Canary may be at most; nil where the check has none
	Unit    string   // of these: "", "%", "s", "cores", "bytes"
	Seen    float64  // how many observations of the canary it rests on
	Source  string
	Message string // one line for people: what was seen against what is allowed, or why there is no verdict
}
