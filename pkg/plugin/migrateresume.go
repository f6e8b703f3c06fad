package plugin

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/labels"

	"github.com/kubectl-canary/kubectl-canary/internal/canary"
)

// migrations are the releases that migrate or did when they were interrupted, by the migration's ID: those that the user has
// chosen, and all that migrate together. The Lease of a release that is no more counts for nothing.
func (c *chooser) migrations(s *canary.Snapshot) (chosen, all map[string][]string, err error) {
	found, err := c.find(s, false)
	if err != nil {
		return nil, nil, err
	}
	return migrating(found), migrating(canary.Discover(s, c.options)), nil
}

func migrating(releases []canary.Release) map[string][]string {
	found := map[string][]string{}
	for _, r := range releases {
		if r.Record != nil && r.Record.Migration != nil {
			found[r.Record.Migration.ID] = append(found[r.Record.Migration.ID], r.Name)
		}
	}
	return found
}

// find returns the interrupted migration that the command goes on with, as it goes on from now; nil where a new one begins.
func (m *migrator) find() (*canary.Migration, error) {
	s := m.live.Snapshot()
	found, together, err := m.choose.migrations(s)
	switch {
	case err != nil:
		return nil, err
	case m.dryRun != "none":
		return nil, nil //nolint:nilnil // which is what there is to go on with
	case len(found) == 0 && m.o.resume:
		return nil, fmt.Errorf("no migration of these releases is there to go on with in namespace %q", m.namespace)
	case len(found) == 0:
		return nil, nil //nolint:nilnil // as above
	case len(found) > 1:
		return nil, m.several(found)
	}
	id := slices.Collect(maps.Keys(found))[0]
	members := together[id]
	var all []*canary.Migration
	var alive time.Time
	for _, name := range members {
		lease := s.Leases[name]
		if lease.Held() {
			return nil, fmt.Errorf("%w\n  %s", lease.LockedBy(name, m.now()), m.next(members)[0])
		}
		all = append(all, lease.Record.Migration)
		if lease.Renewed.After(alive) {
			alive = lease.Renewed
		}
	}
	joint := canary.Joint(all)
	if !m.o.goesOnWith(joint) {
		return nil, m.another(joint, members)
	}
	begun := slices.ContainsFunc(joint.Steps, func(s canary.Step) bool { return s.Took > 0 })
	for _, name := range members {
		for _, step := range s.Leases[name].Record.Migration.Steps {
			m.reached[name] = append(m.reached[name], step.Reached)
		}
	}
	if err := m.o.adopt(joint); err != nil {
		return nil, err
	}
	if begun || m.o.resume || m.choose.named() {
		m.choose.names, m.choose.selector, m.choose.services = members, "", labels.Everything()
	} // else its runner may have been killed before it had locked all
	m.over = !joint.Resume(m.now(), alive, m.user)
	return joint, nil
}

// goesOnWith says whether what was typed is the same command again, or leaves it to the record.
func (o *migrateOptions) goesOnWith(m *canary.Migration) bool {
	same := canary.Same(o.steps, m.Steps) && o.approve == m.Approve
	if !o.resume {
		return same
	}
	for _, flag := range []string{"steps", "pause", "to", "approve"} {
		if o.flags.Changed(flag) {
			return same
		}
	}
	return true
}

// another refuses a schedule that is not that of the migration that is there.
func (m *migrator) another(there *canary.Migration, members []string) error {
	text := fmt.Sprintf("%s: a migration by %s (--steps %s) was interrupted at step %s: go on with it, or end it",
		strings.Join(members, ", "), there.By, canary.Schedule(there.Steps), there.Place())
	return refusal{text, m.next(members)}
}

// several refuses to guess which of several migrations is meant.
func (m *migrator) several(found map[string][]string) error {
	var all []string
	for _, members := range found {
		all = append(all, strings.Join(members, ", "))
	}
	slices.Sort(all)
	return errors.New("there are several migrations: name the releases of one (" + strings.Join(all, "; ") + ")")
}

// next are the commands that go on with a migration, and that end it.
func (m *migrator) next(members []string) []string {
	some := ""
	if m.choose.named() {
		some = " " + strings.Join(members, " ")
	}
	return []string{m.command(name+" migrate"+some+" --resume", m.namespace), m.command(name+" abort"+some, m.namespace)}
}
