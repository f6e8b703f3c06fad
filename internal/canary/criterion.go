package canary

import (
	"fmt"
	"slices"
	"strings"
)

// Criterion is what a release can be waited for: a phase, or a weight.
type Criterion struct {
	phase  Phase // empty where it is a weight
	weight Weight
}

// phases are those that can be waited for.
var phases = []Phase{PhaseStable, PhaseCanary, PhasePromoted, PhaseMoving, PhaseDegraded, PhaseDrifted, PhaseBroken}

// Criteria are the words for them, but for weights.
func Criteria() []string {
	var all []string
	for _, p := range phases {
		all = append(all, strings.ToLower(string(p)))
	}
	return all
}

// ParseCriterion reads weight=N, phase=PHASE, or a phase alone, in whatever case.
func ParseCriterion(s string) (Criterion, error) {
	key, value, set := strings.Cut(s, "=")
	switch {
	case set && key == "weight":
		w, err := ParseWeight(value)
		return Criterion{weight: w}, err
	case !set:
		value = key
	case key != "phase":
		value = ""
	}
	i := slices.IndexFunc(phases, func(p Phase) bool { return strings.EqualFold(string(p), value) })
	if i < 0 {
		return Criterion{}, fmt.Errorf("invalid condition %q: want weight=N, or a phase: %s", s, strings.Join(Criteria(), ", "))
	}
	return Criterion{phase: phases[i]}, nil
}

func (c Criterion) String() string {
	if c.phase == "" {
		return "weight=" + c.weight.String()
	}
	return "phase=" + string(c.phase)
}

// nearby is how far from a weight a share is as good as that, in hundredths of a percentage point: as --tolerance is if it is
// left out.
const nearby = 100

// Met says whether it holds, and if not how the release stands. A weight is met when the share that is served is what the
// weight last asked for can reach, if it is that weight; else within a percentage point. 0 and 100 are never nearly met.
func (c Criterion) Met(r *Release) (met bool, stands string) {
	if c.phase != "" {
		return r.Phase() == c.phase, "it is " + string(r.Phase())
	}
	actual, ok := r.Actual()
	if !ok {
		return false, "nothing serves"
	}
	stands = "its weight is " + actual.String() + "%"
	if desired, known := r.Desired(); known && desired == c.weight {
		reach, _ := r.Reachable()
		if actual != reach {
			stands += ", and will be " + reach.String() + "%"
		}
		return actual == reach, stands
	}
	off := max(actual-c.weight, c.weight-actual)
	return off == 0 || off <= nearby && c.weight != None && c.weight != Full, stands
}
