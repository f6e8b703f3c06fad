package canary

import (
	"fmt"
	"maps"
	"math/bits"
	"slices"
	"strings"
)

// limitProblems are of limit ranges that would refuse pods which the move creates.
func (g *surge) limitProblems(ranges []LimitRange) (found []Problem) {
	for _, side := range g.sides {
		if !side.known || !slices.Contains(side.grows, true) {
			continue
		}
		for _, l := range ranges {
			if against := l.against(&side.demand); len(against) > 0 {
				found = append(found, Problem{
					Code: CodeLimitRange, Severity: Error, Object: "LimitRange/" + l.Name,
					Message: fmt.Sprintf("limit range %s refuses pods of Deployment %s: %s", l.Name, side.deployment.Name, strings.Join(against, "; ")),
					Next:    []string{"describe limits " + l.Name},
				})
			}
		}
	}
	return found
}

// against lists what of a pod is out of range.
func (l *LimitRange) against(d *PodDemand) (all []string) {
	for _, item := range l.Items {
		if item.Pod {
			all = append(all, item.against("the pod", d.BareRequests, d.BareLimits)...)
			continue
		}
		for _, c := range d.Containers {
			all = append(all, item.against("container "+c.Name, c.Requests, c.Limits)...)
		}
	}
	return all
}

// against follows the LimitRanger of the API server, to whom a minimum needs a request, a maximum a limit and a ratio both.
func (i *LimitRangeItem) against(what string, requests, limits Amounts) (all []string) {
	say := func(name string, text string) { all = append(all, what+" "+text+" for "+name) }
	for _, name := range slices.Sorted(maps.Keys(i.Min)) {
		least := i.Min[name]
		request, asked := requests[name]
		limit, limited := limits[name]
		switch {
		case !asked:
			say(name, "has no request, and the least is "+amount(name, least))
		case request < least:
			say(name, "requests "+amount(name, request)+", and the least is "+amount(name, least))
		case limited && limit < least:
			say(name, "has a limit of "+amount(name, limit)+", and the least is "+amount(name, least))
		}
	}
	for _, name := range slices.Sorted(maps.Keys(i.Max)) {
		most := i.Max[name]
		limit, limited := limits[name]
		switch request := requests[name]; {
		case !limited:
			say(name, "has no limit, and the most is "+amount(name, most))
		case limit > most:
			say(name, "has a limit of "+amount(name, limit)+", and the most is "+amount(name, most))
		case request > most:
			say(name, "requests "+amount(name, request)+", and the most is "+amount(name, most))
		}
	}
	for _, name := range slices.Sorted(maps.Keys(i.Ratio)) {
		request, limit := requests[name], limits[name]
		switch {
		case request == 0 || limit == 0:
			say(name, "has no request or no limit, and their ratio is bounded")
		case more(limit, 1000, i.Ratio[name], request):
			say(name, fmt.Sprintf("has a limit of %s and requests %s, and the largest ratio is %s", amount(name, limit), amount(name, request), amount("", i.Ratio[name])))
		}
	}
	return all
}

// more says whether a·b > c·d, of numbers that are not negative, without overflow.
func more(a, b, c, d int64) bool {
	high, low := bits.Mul64(uint64(a), uint64(b))
	high2, low2 := bits.Mul64(uint64(c), uint64(d))
	return high > high2 || high == high2 && low > low2
}
