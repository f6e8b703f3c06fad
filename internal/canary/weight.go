package canary

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// Weight is a share of the ready endpoints in hundredths of a percent,
// 0 (nothing) to 10000 (everything).
type Weight int

// The two weights at which a release is at rest.
const (
	None Weight = 0
	Full Weight = 100 * 100
)

var errWeight = errors.New("want a percentage from 0 to 100, with at most two decimals")

// ParseWeight reads a percentage such as "25", "12.5" or "50%".
func ParseWeight(s string) (Weight, error) {
	digits := strings.TrimSuffix(s, "%")
	whole, frac, dotted := strings.Cut(digits, ".")
	if dotted && (frac == "" || len(frac) > 2) || !isDigits(whole) || !isDigits(frac+"0") {
		return 0, fmt.Errorf("invalid weight %q: %w", s, errWeight)
	}
	n, err := strconv.Atoi(whole + (frac + "00")[:2])
	if err != nil || n > int(Full) {
		return 0, fmt.Errorf("invalid weight %q: %w", s, errWeight)
	}
	return Weight(n), nil
}

func isDigits(s string) bool {
	return s != "" && strings.Trim(s, "0123456789") == ""
}

// String prints the weight as a percentage with at most two decimals, without the sign.
func (w Weight) String() string {
	s := fmt.Sprintf("%d.%02d", w/100, w%100)
	return strings.TrimSuffix(strings.TrimRight(s, "0"), ".")
}

// MarshalJSON writes the percentage as a number.
func (w Weight) MarshalJSON() ([]byte, error) { return []byte(w.String()), nil }

// UnmarshalJSON reads what MarshalJSON writes.
func (w *Weight) UnmarshalJSON(b []byte) (err error) {
	*w, err = ParseWeight(string(b))
	return err
}

// Share returns part of whole as a weight, rounded half up.
// It is false when whole is 0: nothing serves, so there is no share.
func Share(part, whole int) (Weight, bool) {
	if whole <= 0 {
		return 0, false
	}
	return Weight((2*part*int(Full) + whole) / (2 * whole)), true
}

// Amount is a count, or a percentage of the baseline, as maxSurge is on a Deployment.
type Amount struct {
	Value   int
	Percent bool
}

// Percent returns the amount that is n percent of the baseline.
func Percent(n int) Amount { return Amount{Value: n, Percent: true} }

// ParseAmount reads a count such as "2" or a percentage such as "25%".
func ParseAmount(s string) (Amount, error) {
	digits, percent := strings.CutSuffix(s, "%")
	if !isDigits(digits) || len(digits) > 6 {
		return Amount{}, fmt.Errorf("invalid amount %q: want a count or a percentage, such as 2 or 25%%", s)
	}
	n, err := strconv.Atoi(digits)
	if err != nil {
		return Amount{}, fmt.Errorf("invalid amount %q: %w", s, err)
	}
	return Amount{Value: n, Percent: percent}, nil
}

func (a Amount) String() string {
	if a.Percent {
		return strconv.Itoa(a.Value) + "%"
	}
	return strconv.Itoa(a.Value)
}

// Up resolves the amount against the baseline, rounded up, as Kubernetes does for maxSurge.
// A percentage above 0 of a baseline above 0 is at least 1.
func (a Amount) Up(baseline int) int {
	if !a.Percent {
		return a.Value
	}
	return (a.Value*baseline + 99) / 100
}

// Down resolves the amount against the baseline, rounded down, as Kubernetes does for maxUnavailable.
func (a Amount) Down(baseline int) int {
	if !a.Percent {
		return a.Value
	}
	return a.Value * baseline / 100
}
