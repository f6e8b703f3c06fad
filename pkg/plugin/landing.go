package plugin

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"golang.org/x/sync/errgroup"
	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/kubectl-canary/kubectl-canary/internal/canary"
	"github.com/kubectl-canary/kubectl-canary/internal/cluster"
	"github.com/kubectl-canary/kubectl-canary/internal/printer"
)

// place is a namespace that manifests go to.
type place struct {
	canary.Landing

	live    *cluster.Live
	missing error // the server's answer where the namespace is not there
	given   bool  // the manifests have the namespace itself
}

// read looks at the namespaces as they are.
func (d *deploy) read(ctx context.Context) error {
	for _, o := range d.objects {
		namespace := o.Object.GetNamespace()
		if namespace == "" {
			continue
		}
		at := d.at(namespace)
		switch {
		case o.is("", "Service"):
			at.Services = append(at.Services, o.service())
		case o.is("apps", "Deployment"):
			at.Deployments = append(at.Deployments, o.deployment())
		}
	}
	slices.SortFunc(d.places, func(a, b *place) int { return cmp.Compare(a.Namespace, b.Namespace) })
	group, reads := errgroup.WithContext(ctx)
	for _, at := range d.places {
		at.given = slices.ContainsFunc(d.objects, func(o *object) bool { return o.is("", "Namespace") && o.Object.GetName() == at.Namespace })
		group.Go(func() (err error) {
			at.live, err = d.conn.read(reads, d.client, at.Namespace, cluster.Want{WholePods: true})
			if apierrors.IsNotFound(err) && at.live != nil {
				at.missing, err = err, nil
			}
			if err == nil {
				at.Present = at.live.Snapshot()
			}
			return err
		})
	}
	err := group.Wait()
	if err == nil && slices.ContainsFunc(d.places, func(at *place) bool { return at.Present.LeasesHidden }) {
		d.warn("leases are forbidden: whether somebody is moving a release cannot be seen")
	}
	return err
}

// at is the place of a namespace, a new one where there was none.
func (d *deploy) at(namespace string) *place {
	i := slices.IndexFunc(d.places, func(at *place) bool { return at.Namespace == namespace })
	if i < 0 {
		d.places = append(d.places, &place{Landing: canary.Landing{Namespace: namespace}})
		i = len(d.places) - 1
	}
	return d.places[i]
}

// refuse looks for what speaks against the manifests before the server is asked about each: namespaces that are not there,
// Deployments that land where their Service is not, and releases that somebody is moving.
func (d *deploy) refuse(context.Context) error {
	var against []error
	var landings []canary.Landing
	for _, at := range d.places {
		landings = append(landings, at.Landing)
		if at.missing != nil && !at.given {
			against = append(against, refusal{
				text: fmt.Sprintf("namespace %q not found, and the manifests do not have it", at.Namespace),
				next: []string{d.command("create namespace "+at.Namespace, "")},
			})
		}
		for _, r := range at.Touched(canary.Options{}) {
			if r.Lease.Held() {
				against = append(against, r.Lease.LockedBy(r.Name, d.client.Now()))
			}
			for _, v := range r.Versions() {
				d.keep(at.Namespace, v.Deployment.Name)
			}
		}
	}
	for _, astray := range canary.FindAstray(landings) {
		r := refusal{text: astray.Error()}
		if d.homeless(astray) {
			r.next = []string{d.command(d.again, astray.Of)}
		}
		against = append(against, r)
	}
	if len(against) > 0 {
		return d.tell(against)
	}
	return nil
}

// keep leaves the replicas of a Deployment where they are.
func (d *deploy) keep(namespace, name string) {
	for _, o := range d.objects {
		if o.is("apps", "Deployment") && o.Object.GetNamespace() == namespace && o.Object.GetName() == name {
			o.keep = true
		}
	}
}

// homeless says that -n would bring the Deployment to its Service: its manifest has no namespace, and no other manifest has
// another than the Service's.
func (d *deploy) homeless(astray canary.Astray) bool {
	return !slices.ContainsFunc(d.objects, func(o *object) bool {
		itself := o.is("apps", "Deployment") && o.Object.GetName() == astray.Deployment && o.Object.GetNamespace() == astray.In
		return itself && o.given != "" || o.given != "" && o.given != astray.Of
	})
}

// tell prints every error, each in a line and below it what to run next, and returns them all as told.
func (d *deploy) tell(all []error) error {
	said := map[string]bool{}
	for _, err := range all {
		if text := message(err); !said[text] {
			said[text] = true
			fmt.Fprintln(d.streams.ErrOut, text)
		}
	}
	if d.output.format != "name" && len(d.places) > 0 {
		if err := d.list(canary.Refused); err != nil {
			return err
		}
	}
	return toldError{errors.Join(all...)}
}

// list is what programs get of releases that nothing was written of.
func (d *deploy) list(outcome canary.Outcome) error {
	if !d.output.machine() {
		return nil
	}
	var all []printer.Status
	for _, at := range d.places {
		for _, r := range at.Touched(canary.Options{}) {
			all = append(all, printer.Status{Release: r, Outcome: outcome})
		}
	}
	return d.output.print(d.streams.Out, all, d.command)
}
