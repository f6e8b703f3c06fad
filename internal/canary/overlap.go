package canary

import (
	"fmt"
	"slices"
	"strings"
	"sync"
)

// overlaps finds Deployments whose selectors match the pods of another. It is made when it is first asked.
type overlaps struct {
	once sync.Once
	// bySelector are the Deployments whose selectors need a label, each under the one that the fewest pod templates have;
	// under "" those that name none.
	bySelector map[string][]*Deployment
}

func (ix *index) fill() {
	ix.overlaps.bySelector = map[string][]*Deployment{}
	for i := range ix.snapshot.Deployments {
		d := &ix.snapshot.Deployments[i]
		key := ix.rarest(d.MatchLabels)
		ix.overlaps.bySelector[key] = append(ix.overlaps.bySelector[key], d)
	}
}

// rarest returns the label, as "key=value", that the fewest pod templates have; empty of none.
func (ix *index) rarest(labels map[string]string) (rarest string) {
	for k, v := range labels {
		l := k + "=" + v
		if n, least := len(ix.byLabel[l]), len(ix.byLabel[rarest]); rarest == "" || n < least || n == least && l < rarest {
			rarest = l
		}
	}
	return rarest
}

// matched returns the first other Deployment whose pods the selector of one matches; nil where there is none.
func (ix *index) matched(by *Deployment) *Deployment {
	if by.Selector == nil {
		return nil
	}
	find := func(o *Deployment) bool { return o.Name != by.Name && by.Selector.Matches(o.PodLabels) }
	if rarest := ix.rarest(by.MatchLabels); rarest != "" {
		if i := slices.IndexFunc(ix.byLabel[rarest], find); i >= 0 {
			return ix.byLabel[rarest][i]
		}
		return nil
	}
	for i := range ix.snapshot.Deployments {
		if o := &ix.snapshot.Deployments[i]; find(o) {
			return o
		}
	}
	return nil
}

// matching returns the first other Deployment whose selector matches the pods of one; nil where there is none.
func (ix *index) matching(d *Deployment) (first *Deployment) {
	ix.overlaps.once.Do(ix.fill)
	look := func(key string) {
		for _, o := range ix.overlaps.bySelector[key] {
			if o.Name != d.Name && o.Selector != nil && o.Selector.Matches(d.PodLabels) {
				if first == nil || o.Name < first.Name {
					first = o
				}
				return
			}
		}
	}
	look("")
	for k, v := range d.PodLabels {
		look(k + "=" + v)
	}
	return first
}

// overlapProblems are of Deployments, either of the release or one of it and a stranger, of which one's selector matches the
// other's pods. Each pair is told of once.
func overlapProblems(r *Release) (found []Problem) {
	if r.index == nil {
		return nil
	}
	told := map[string]bool{}
	tell := func(by, of *Deployment) {
		if by == nil || of == nil {
			return
		}
		pair := []string{by.Name, of.Name}
		slices.Sort(pair)
		if key := strings.Join(pair, "/"); !told[key] {
			told[key] = true
			found = append(found, Problem{
				Code: CodeOverlap, Severity: Error, Object: "Deployment/" + by.Name,
				Message: fmt.Sprintf("the selector of Deployment %s matches the pods of Deployment %s too: whose they are cannot be told by their labels, and each may count or take the other's", by.Name, of.Name),
				Next:    []string{"get deployments " + by.Name + " " + of.Name + " -o wide"},
			})
		}
	}
	for _, v := range []*Version{r.Stable, r.Canary} {
		d := &v.Deployment
		tell(d, r.index.matched(d))
		tell(r.index.matching(d), d)
	}
	return found
}
