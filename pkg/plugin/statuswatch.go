package plugin

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/kubectl-canary/kubectl-canary/internal/cluster"
	"github.com/kubectl-canary/kubectl-canary/internal/printer"
)

// follow draws the table again in place at every change on a terminal, and elsewhere prints each row that changes.
func (o *statusOptions) follow(ctx context.Context, client *cluster.Client, namespace string) error {
	live, err := o.conn.read(ctx, client, namespace, cluster.Want{WholePods: true, Autoscalers: true})
	if err != nil {
		return err
	}
	if _, err := o.find(live); err != nil {
		return err
	}
	live.Follow(ctx, true)
	screen := block(o.streams.Out)
	rows := map[string]string{}
	show := func() (bool, error) {
		found, err := o.find(live)
		if err != nil {
			return false, err
		}
		all := o.judge(found, client.Now())
		if screen != nil {
			return false, screen.Draw(o.table(client.Now()).Lines(all))
		}
		return false, o.printChanged(all, rows, client.Now())
	}
	for {
		// Ages grow while nothing changes.
		beat, cancel := context.WithTimeoutCause(ctx, time.Second, errBeat)
		err := live.ObserveAll(beat, show)
		cancel()
		if errors.Is(err, ErrInterrupted) {
			return toldError{err}
		}
		if !errors.Is(err, errBeat) {
			return err
		}
	}
}

var errBeat = errors.New("beat")

// printChanged prints the rows that differ, ages apart, from when they were last printed.
func (o *statusOptions) printChanged(all []printer.Status, rows map[string]string, now time.Time) error {
	var changed []printer.Status
	for _, s := range all {
		t := o.table(time.Time{})
		t.NoHeaders = true
		key, row := s.Release.Namespace+"/"+s.Release.Name, strings.Join(t.Lines([]printer.Status{s}), "\n")
		if rows[key] != row {
			rows[key] = row
			changed = append(changed, s)
		}
	}
	if len(changed) == 0 {
		return nil
	}
	t := o.table(now)
	o.noHeader = true
	return t.Print(o.streams.Out, changed)
}
