package load

import (
	"bufio"
	"encoding/json"
	"io"
	"time"
)

// line is a request in a log: when it was due from the start of the run, and how long it took from then, both in milliseconds.
type line struct {
	At      float64 `json:"at"`
	Took    float64 `json:"took"`
	Version string  `json:"version,omitempty"`
	Failure Failure `json:"failure,omitempty"`
}

// WriteLog writes each request as a line of JSON, in the order in which they were due.
func (r Run) WriteLog(w io.Writer) error {
	milliseconds := func(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
	buffered := bufio.NewWriter(w)
	encoder := json.NewEncoder(buffered)
	for _, q := range r.Requests {
		if err := encoder.Encode(line{milliseconds(q.At), milliseconds(q.Took), q.Version, q.Failure}); err != nil {
			return err
		}
	}
	return buffered.Flush()
}
