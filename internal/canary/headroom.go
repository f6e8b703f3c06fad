package canary

import (
	"fmt"
	"maps"
	"slices"
)

// Moving is a release that is about to move, and how.
type Moving struct {
	Release *Release
	Plan    Plan
}

// Headroom lists for each of the moves, in their order, what would keep pods of its plan from being created: quotas, of which
// all moves take their part at once, and limit ranges. barrier says that they go round by round together.
func Headroom(s *Snapshot, moves []Moving, barrier bool) [][]Problem {
	found := make([][]Problem, len(moves))
	if len(s.Quotas)+len(s.LimitRanges) == 0 {
		return found
	}
	all, slow := make([]surge, len(moves)), make([]surge, len(moves))
	for i, m := range moves {
		all[i] = newSurge(s, m)
		slow[i] = all[i].slow(m.Plan)
		found[i] = all[i].limitProblems(s.LimitRanges)
	}
	for _, q := range s.Quotas {
		for i, problems := range quotaProblems(&q, all, slow, barrier) {
			found[i] = append(found[i], problems...)
		}
	}
	return found
}

// surge is the pods that a move has while it goes on, as a quota counts them.
type surge struct {
	sides [2]surgingSide // stable, canary
	// The pods of both sides: at the start, where some may be missing, after the raise of each round, and at the end.
	before, after [2]int
	rounds        [][2]int
}

// surgingSide is one side of a move.
type surgingSide struct {
	deployment *Deployment
	known      bool // what its pods ask for
	demand     PodDemand
	grows      []bool // whether pods are created, by round
}

func newSurge(s *Snapshot, m Moving) surge {
	g := surge{before: sides(m.Plan.From), after: sides(m.Plan.Target), rounds: make([][2]int, len(m.Plan.Rounds))}
	for i, v := range []*Version{m.Release.Stable, m.Release.Canary} {
		side := surgingSide{deployment: &v.Deployment, grows: make([]bool, len(m.Plan.Rounds))}
		if side.known = v.Deployment.Template != nil; side.known {
			side.demand = v.Deployment.Template.Pod(s.LimitRanges)
		}
		there := v.Deployment.Pods
		runsOn := i == 0 && m.Plan.Keep
		if runsOn {
			g.before[i], g.after[i] = there, there
		}
		for k, round := range m.Plan.Rounds {
			g.rounds[k][i] = sides(round.Raise)[i]
			if runsOn {
				g.rounds[k][i] = there
				continue
			}
			side.grows[k] = g.rounds[k][i] > min(there, sides(round.Room)[i])
			there = sides(round.Lower)[i]
		}
		g.sides[i] = side
	}
	return g
}

// slow is the same move when the pods that it stops are still there at its end: a quota counts them until they are gone.
func (g *surge) slow(p Plan) surge {
	slow := surge{sides: g.sides, before: g.before, after: g.before, rounds: slices.Clone(g.rounds)}
	for k, round := range p.Rounds {
		for i := range slow.after {
			if g.sides[i].grows[k] {
				slow.after[i] += sides(round.Raise)[i] - sides(round.Room)[i]
			}
		}
		slow.rounds[k] = slow.after
	}
	return slow
}

func sides(s Split) [2]int { return [2]int{s.Stable, s.Canary} }

// at is the pods of both sides after the raise of a round; a move that is over stays where it ended.
func (g *surge) at(round int) [2]int {
	if round < len(g.rounds) {
		return g.rounds[round]
	}
	return g.after
}

// need is what a moment takes of a resource beyond what is there now, where each pod of a side takes so much of it.
func (g *surge) need(at [2]int, each [2]int64) (need int64) {
	for i, side := range g.sides {
		need += int64(at[i]-side.deployment.Pods) * each[i]
	}
	return need
}

// grows says whether pods that take some of the resource are created in the round.
func (g *surge) grows(round int, each [2]int64) bool {
	for i, side := range g.sides {
		if round < len(side.grows) && side.grows[round] && each[i] > 0 {
			return true
		}
	}
	return false
}

// most is the most that the move needs at any moment.
func (g *surge) most(each [2]int64) int64 {
	most := g.need(g.before, each)
	for _, at := range g.rounds {
		most = max(most, g.need(at, each))
	}
	return most
}

// peak is the worst moment of all moves, for one resource.
type peak struct {
	need  int64
	pods  int // of all the moves
	round int
	moves []int // that create pods then
}

// worstMoment finds the moment at which the moves together need the most of a resource, of those at which a pod is created that takes
// some of it; false where there is none. each is what a pod of either side takes, by move.
func worstMoment(all []surge, each [][2]int64, barrier bool) (p peak, ok bool) {
	rounds := 0
	for _, g := range all {
		rounds = max(rounds, len(g.rounds))
	}
	for k := range rounds {
		now := peak{round: k}
		for i, g := range all {
			at := g.at(k)
			now.need += g.need(at, each[i])
			now.pods += at[0] + at[1]
			if g.grows(k, each[i]) {
				now.moves = append(now.moves, i)
			}
		}
		if len(now.moves) > 0 && (!ok || now.need > p.need) {
			p, ok = now, true
		}
	}
	if barrier || len(all) < 2 {
		return p, ok
	}
	return worstApart(all, each)
}

// worstApart is worstMoment for moves that do not wait for one another: while one is at a round, each other may be at any moment.
func worstApart(all []surge, each [][2]int64) (p peak, ok bool) {
	var most int64
	for i, g := range all {
		most += g.most(each[i])
	}
	for i, g := range all {
		others := most - g.most(each[i])
		creates := false
		for k, at := range g.rounds {
			if !g.grows(k, each[i]) {
				continue
			}
			creates = true
			if need := others + g.need(at, each[i]); !ok || need > p.need {
				p.need, p.round, ok = need, k, true
			}
		}
		if creates {
			p.moves = append(p.moves, i)
		}
		pods := g.before[0] + g.before[1]
		for _, at := range g.rounds {
			pods = max(pods, at[0]+at[1])
		}
		p.pods += pods
	}
	return p, ok
}

// quotaProblems returns what speaks against each of the moves, by its index.
func quotaProblems(q *Quota, all, slow []surge, barrier bool) map[int][]Problem {
	found := map[int][]Problem{}
	counted := make([][2]bool, len(all))
	for i, g := range all {
		for side, of := range g.sides {
			match, known := q.counts(&of)
			if !known {
				return nil
			}
			counted[i][side] = match
			if name, container := q.missing(&of.demand); match && name != "" && slices.Contains(of.grows, true) {
				found[i] = append(found[i], q.problem(Error, fmt.Sprintf("%s has to be set on every container, and is not on %s of Deployment %s", name, container, of.deployment.Name)))
			}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(q.Hard)) {
		used, usage := q.Used[name]
		if !usage {
			continue
		}
		each := make([][2]int64, len(all))
		for i, g := range all {
			for side, of := range g.sides {
				if counted[i][side] {
					each[i][side] = of.demand.takes(name)
				}
			}
		}
		left := q.Hard[name] - used
		severity, still := Error, ""
		p, ok := worstMoment(all, each, barrier)
		if ok && p.need <= left {
			severity, still = Warning, ", with those that are stopped and may not be gone yet"
			p, ok = worstMoment(slow, each, barrier)
		}
		if !ok || p.need <= left {
			continue
		}
		when := fmt.Sprintf("round %d: ", p.round+1)
		if !barrier && len(all) > 1 {
			when = "all at once: "
		}
		for _, i := range p.moves {
			found[i] = append(found[i], q.problem(severity, fmt.Sprintf("%s: %s more needed at the worst moment (%s%d pods%s), %s left",
				name, amount(name, p.need), when, p.pods, still, amount(name, max(0, left)))))
		}
	}
	return found
}
