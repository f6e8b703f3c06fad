package canary

import "fmt"

// Split is how many replicas each side of a release has, or should have.
type Split struct {
	Stable int `json:"stable"`
	Canary int `json:"canary"`
}

// Total is the replicas of both sides.
func (s Split) Total() int { return s.Stable + s.Canary }

func (s Split) String() string { return fmt.Sprintf("%d/%d", s.Stable, s.Canary) }

// Arithmetic is what turns a weight into a Split (docs/design.md §4).
type Arithmetic struct {
	Baseline  int    // replicas that carry the full load, at least 1
	Surge     int    // replicas the split may have beyond the baseline
	Others    int    // ready endpoints that are neither stable nor canary
	Tolerance Weight // an error up to this is as good as none
	Exact     bool   // take only a split that is the weight exactly
	MaxTotal  int    // with Exact: the most replicas it may take; 0 is four baselines
}

// Split returns the replicas that come nearest to the weight: of all totals from the baseline to the baseline
// plus the surge, the smallest whose error is within the tolerance; when there is none, the smallest error.
// Between 0 and 100 both sides keep at least one replica. Ties go to the smaller total, then the smaller canary.
func (a Arithmetic) Split(w Weight) (Split, error) {
	switch {
	case a.Baseline < 1:
		return Split{}, fmt.Errorf("the baseline is %d replicas: say how many with --replicas", a.Baseline)
	case w == None:
		return Split{Stable: a.Baseline}, nil
	case w == Full:
		return Split{Canary: a.Baseline}, nil
	case a.Exact:
		return a.exact(w)
	}
	low, high := max(a.Baseline, 2), a.Baseline+a.Surge
	if high < low {
		return Split{}, fmt.Errorf("%s%% needs two pods, and the baseline is 1 with no surge: allow one with --max-surge 1", w)
	}
	var best Split
	for total := low; total <= high; total++ {
		s := a.nearest(w, total)
		if a.off(w, s) <= int(a.Tolerance)*(total+a.Others) {
			return s, nil
		}
		if total == low || a.closer(w, s, best) {
			best = s
		}
	}
	return best, nil
}

// Reach is the weight that the split gives once all its replicas serve.
func (a Arithmetic) Reach(s Split) Weight {
	w, _ := Share(s.Canary, s.Total()+a.Others)
	return w
}

// ExactTotal returns the smallest total, at or above the baseline, that gives the weight exactly; false when
// there is none, which only others can cause.
func (a Arithmetic) ExactTotal(w Weight) (int, bool) {
	// canary = w·(total+others)/Full is whole at least once in any Full consecutive totals.
	for total := max(a.Baseline, 2); total <= a.Baseline+2*int(Full); total++ {
		if c := int(w) * (total + a.Others); c%int(Full) == 0 && c >= int(Full) && c/int(Full) < total {
			return total, true
		}
	}
	return 0, false
}

func (a Arithmetic) exact(w Weight) (Split, error) {
	limit := a.MaxTotal
	if limit == 0 {
		limit = 4 * a.Baseline
	}
	total, ok := a.ExactTotal(w)
	if !ok {
		return Split{}, fmt.Errorf("%s%% cannot be reached exactly beside %d other endpoints", w, a.Others)
	}
	if total > limit {
		return Split{}, fmt.Errorf("%s%% exactly needs %d pods, more than the %d allowed: raise --max-total, or leave out --exact", w, total, limit)
	}
	c := int(w) * (total + a.Others) / int(Full)
	return Split{Stable: total - c, Canary: c}, nil
}

// nearest returns the split of total with the smallest error, the smaller canary on a tie.
func (a Arithmetic) nearest(w Weight, total int) Split {
	c := int(w) * (total + a.Others) / int(Full)
	c = min(max(c, 1), total-1)
	s := Split{Stable: total - c, Canary: c}
	if up := (Split{Stable: s.Stable - 1, Canary: c + 1}); up.Stable >= 1 && a.off(w, up) < a.off(w, s) {
		return up
	}
	return s
}

// off is |canary/all − w| with the denominator all·Full left out.
func (a Arithmetic) off(w Weight, s Split) int {
	d := s.Canary*int(Full) - int(w)*(s.Total()+a.Others)
	return max(d, -d)
}

func (a Arithmetic) closer(w Weight, s, than Split) bool {
	return a.off(w, s)*(than.Total()+a.Others) < a.off(w, than)*(s.Total()+a.Others)
}
