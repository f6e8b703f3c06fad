package plugin

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kubectl-canary/kubectl-canary/internal/canary"
	"github.com/kubectl-canary/kubectl-canary/internal/cluster"
)

// try asks the server about every object before anything is written. What goes to a namespace that is not there yet cannot
// be asked about before that is.
func (d *deploy) try(ctx context.Context) error {
	var now, later []*object
	for _, o := range d.objects {
		if ns := o.Object.GetNamespace(); ns != "" && d.at(ns).missing != nil {
			later = append(later, o)
		} else {
			now = append(now, o)
		}
	}
	if d.dryRun == "client" {
		d.print(d.objects, " (dry run)")
		return d.list(canary.Unchanged)
	}
	if err := d.ask(ctx, now); err != nil {
		return err
	}
	if d.dryRun == "server" {
		d.print(now, " (server dry run)")
		d.print(later, " (dry run)")
		for _, at := range d.places {
			if at.missing != nil {
				d.warn(fmt.Sprintf("namespace %s is not there yet: the server cannot say what it makes of what goes there", at.Namespace))
			}
		}
		return d.list(canary.Unchanged)
	}
	if len(later) == 0 {
		return nil
	}
	if err := d.applyRank(ctx, 0); err != nil {
		return err
	}
	if err := d.ask(ctx, later); err != nil {
		fmt.Fprintln(d.streams.ErrOut, "nothing was written but the namespaces")
		return err
	}
	return nil
}

// ask lets the server check objects, and tells all that it and the split have against them.
func (d *deploy) ask(ctx context.Context, these []*object) error {
	tried, errs := d.each(ctx, these, true)
	for i, o := range these {
		if errs[i] == nil && o.keep {
			errs[i] = d.lights(o, tried[i].Generation)
		}
	}
	return d.against(these, errs)
}

// lights is an error where a Deployment with dark pods would change: pods of a new template carry the label that they went without.
func (d *deploy) lights(o *object, generation int64) error {
	at := d.at(o.Object.GetNamespace())
	for _, r := range at.Touched(canary.Options{}) {
		for _, v := range r.Versions() {
			if v.Dark > 0 && v.Deployment.Name == o.Object.GetName() && v.Deployment.Generation != generation {
				return refusal{
					text: fmt.Sprintf("%s: %d pods of %s run on without traffic, and what the manifests change of it would bring them back into the Service", o.name(), v.Dark, v.Name),
					next: []string{d.command("canary promote "+quote(r.Name), at.Namespace), d.command("canary rollback "+quote(r.Name), at.Namespace)},
				}
			}
		}
	}
	return nil
}

// against tells of all errors at once, each of an object; what kubectl says of fields that others manage it says once.
func (d *deploy) against(these []*object, errs []error) error {
	var all []error
	managed := false
	for i, err := range errs {
		switch {
		case err == nil:
			continue
		case cluster.ManagedByOthers(err):
			managed = true
			err = fmt.Errorf("%s: %s", these[i].name(), err.Error()) // in kubectl's words, not as the server's answer
		}
		all = append(all, err)
	}
	if len(all) == 0 {
		return nil
	}
	err := d.tell(all)
	if managed {
		fmt.Fprintln(d.streams.ErrOut, managedByOthers)
	}
	return err
}

// managedByOthers is what kubectl says.
const managedByOthers = `Please review the fields above--they currently have other managers. Here
are the ways you can resolve this warning:
* If you intend to manage all of these fields, please re-run the apply
  command with the ` + "`--force-conflicts`" + ` flag.
* If you do not intend to manage all of the fields, please edit your
  manifest to remove references to the fields that should keep their
  current managers.
* You may co-own fields by updating your manifest to match the existing
  value; in this case, you'll become the manager if the other manager(s)
  stop managing the field (remove it from their configuration).
See https://kubernetes.io/docs/reference/using-api/server-side-apply/#conflicts`

// each applies objects at once, and returns for each what became of it.
func (d *deploy) each(ctx context.Context, these []*object, dryRun bool) ([]*metav1.PartialObjectMetadata, []error) {
	applied, errs := make([]*metav1.PartialObjectMetadata, len(these)), make([]error, len(these))
	var group sync.WaitGroup
	for i, o := range these {
		group.Go(func() {
			applied[i], errs[i] = d.client.Apply(ctx, o.Manifest, cluster.ApplyOptions{Force: d.force, DryRun: dryRun, Keep: o.keep})
			if dryRun && (cluster.CannotBeTried(errs[i]) || d.misses(errs[i])) {
				errs[i] = nil
			}
		})
	}
	group.Wait()
	return applied, errs
}

// misses says that an object refers to another of the manifests, which will be there.
func (d *deploy) misses(err error) bool {
	var status apierrors.APIStatus
	if !apierrors.IsNotFound(err) || !errors.As(err, &status) || status.Status().Details == nil {
		return false
	}
	missing := status.Status().Details
	return slices.ContainsFunc(d.objects, func(o *object) bool {
		return !o.is("", "Namespace") && o.Resource.Resource == missing.Kind && o.Resource.Group == missing.Group && o.Object.GetName() == missing.Name
	})
}

// apply writes everything, rank after rank. Where something fails it says what was not written.
func (d *deploy) apply(ctx context.Context) error {
	for rank := range ranks {
		if err := d.applyRank(ctx, rank); err != nil {
			var left []string
			for _, o := range d.objects {
				if !o.applied {
					left = append(left, o.name())
				}
			}
			if len(left) > 0 {
				fmt.Fprintf(d.streams.ErrOut, "not applied: %s\n", strings.Join(left, ", "))
			}
			fmt.Fprintf(d.streams.ErrOut, "to go on:  %s\n", d.command(d.again, ""))
			return err
		}
	}
	return nil
}

// applyRank writes the objects of a rank, but for namespaces that were written before.
func (d *deploy) applyRank(ctx context.Context, rank int) error {
	var these []*object
	for _, o := range d.objects {
		if o.rank() == rank && !o.applied {
			these = append(these, o)
		}
	}
	applied, errs := d.each(ctx, these, false)
	var done []*object
	for i, o := range these {
		if errs[i] != nil {
			continue
		}
		o.applied = true
		done = append(done, o)
		if ns := o.Object.GetNamespace(); ns != "" {
			d.at(ns).live.Applied(o.Manifest, applied[i])
		}
	}
	d.print(done, "")
	if err := ctx.Err(); err != nil && errors.Is(context.Cause(ctx), ErrInterrupted) {
		fmt.Fprintln(d.streams.ErrOut, "error: interrupted")
		return toldError{context.Cause(ctx)}
	}
	return d.against(these, errs)
}

// print says what was applied, as kubectl does.
func (d *deploy) print(these []*object, how string) {
	if d.output.machine() {
		return
	}
	for _, o := range these {
		fmt.Fprintf(d.streams.Out, "%s serverside-applied%s\n", o.name(), how)
	}
}
