package plugin

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/kubectl-canary/kubectl-canary/internal/canary"
	"github.com/kubectl-canary/kubectl-canary/internal/mover"
	"github.com/kubectl-canary/kubectl-canary/internal/printer"
)

// announce says what is going to move before anything does.
func (r *run) announce(all []planned) {
	var names []string
	for _, p := range all {
		if !p.idle() || r.all {
			names = append(names, printer.Safe(p.release.Name))
		}
	}
	if len(names) > 0 && !r.choose.named() {
		fmt.Fprintf(r.streams.ErrOut, "Moving in context %s, namespace %s: %s\n", printer.Safe(r.conn.context()), r.namespace, strings.Join(names, ", "))
	}
	if !r.leases && len(names) > 0 {
		r.warn("leases are forbidden: no lock, no history and no recorded baseline; --replicas says what carries the full load" + r.withoutLeases())
	}
	if r.live.AutoscalersHidden() {
		r.warn("horizontalpodautoscalers are forbidden: whether one would undo the move cannot be seen")
	}
	if r.live.LimitsHidden() && slices.ContainsFunc(all, func(p planned) bool { return p.plan.Raises() }) {
		r.warn("resourcequotas or limitranges are forbidden: whether there is room for the pods that are started cannot be seen")
	}
	var warnings, notes remarks
	for _, p := range all {
		for _, w := range p.warnings {
			if !p.idle() {
				warnings.add(p.release.Name, w.Message)
			}
		}
		for _, note := range p.target.Notes {
			notes.add(p.release.Name, note)
		}
	}
	warnings.each(r.warn)
	notes.each(func(line string) { fmt.Fprintln(r.streams.ErrOut, printer.Safe(line)) })
}

func (r *run) warn(text string) { fmt.Fprintf(r.streams.ErrOut, "Warning: %s\n", printer.Safe(text)) }

// watch shows the move while it goes on, until stop.
func (r *run) watch(moves []mover.Move) (notify func(canary.Event), stop func()) {
	releases := make([]canary.Release, len(moves))
	for i, m := range moves {
		releases[i] = m.Release
	}
	if r.screen != nil {
		r.screen.Begin(releases, time.Now())
		return r.screen.Handle, func() {}
	}
	return showProgress(r.streams.ErrOut, r.client, releases)
}
