package plugin

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"path/filepath"
	"reflect"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	utilerrors "k8s.io/apimachinery/pkg/util/errors"
	"k8s.io/cli-runtime/pkg/resource"

	"github.com/kubectl-canary/kubectl-canary/internal/canary"
	"github.com/kubectl-canary/kubectl-canary/internal/cluster"
	"github.com/kubectl-canary/kubectl-canary/internal/printer"
)

// object is one object of the manifests.
type object struct {
	cluster.Manifest

	kind   schema.GroupKind
	source string // the file
	given  string // the namespace that the manifest itself has
	keep   bool   // a Deployment of a release: its replicas stay
	// applied says that it was written.
	applied bool
}

// name is the object as kubectl prints it.
func (o *object) name() string {
	kind := strings.ToLower(o.kind.Kind)
	if o.kind.Group != "" {
		kind += "." + o.kind.Group
	}
	return printer.Safe(kind + "/" + o.Object.GetName())
}

func (o *object) is(group, kind string) bool {
	return o.kind == schema.GroupKind{Group: group, Kind: kind}
}

// load reads the manifests, asks the server which kinds there are, and puts each object where it belongs.
func (d *deploy) load(context.Context) error {
	read, err := readManifests(d.streams.In, d.files, d.recursive)
	var all utilerrors.Aggregate
	if errors.As(err, &all) {
		return d.tell(all.Errors())
	}
	if err != nil {
		return err
	}
	namespace, enforce, err := d.conn.flags.ToRawKubeConfigLoader().Namespace()
	if err != nil {
		return d.conn.explain(err)
	}
	if d.client, err = d.conn.client(d.streams.ErrOut); err != nil {
		return err
	}
	d.client.Persist(d.timeout)
	mapper, err := d.conn.flags.ToRESTMapper()
	if err != nil {
		return err
	}
	var failed []error
	for _, o := range read {
		gvk := o.Object.GroupVersionKind()
		mapping, err := mapper.RESTMapping(gvk.GroupKind(), gvk.Version)
		if meta.IsNoMatchError(err) {
			err = fmt.Errorf("%s: %w: ensure CRDs are installed first", printer.Safe(o.source), err)
		} else if err == nil {
			o.Resource = mapping.Resource
			err = o.place(namespace, enforce, mapping.Scope.Name() == meta.RESTScopeNameNamespace)
		}
		if err != nil && !slices.ContainsFunc(failed, func(e error) bool { return e.Error() == err.Error() }) {
			failed = append(failed, err)
		}
	}
	if len(failed) > 0 {
		return d.tell(failed)
	}
	d.objects, err = ordered(read)
	return err
}

// readManifests reads files, folders, patterns of names, URLs, and in for -, as kubectl does. It asks no API server.
func readManifests(in io.Reader, files []string, recursive bool) ([]*object, error) {
	// Not FilenameParam, which can do kustomizations, too, and makes the binary larger by all that they need.
	b := resource.NewLocalBuilder().Unstructured().ContinueOnError()
	for _, file := range files {
		switch link, err := url.Parse(file); {
		case file == "-":
			b.Stream(in, "STDIN")
		case err == nil && (link.Scheme == "http" || link.Scheme == "https"):
			b.URL(3, link)
		default:
			paths := []string{file}
			if found, err := filepath.Glob(file); err == nil && len(found) > 0 {
				paths = found
			}
			b.Path(recursive, paths...)
		}
	}
	infos, err := b.Flatten().Do().Infos()
	if err != nil {
		return nil, err
	}
	var read []*object
	for _, info := range infos {
		u, ok := info.Object.(*unstructured.Unstructured)
		switch {
		case !ok:
			return nil, fmt.Errorf("%s: not an object of Kubernetes", info.Source)
		case u.GetAPIVersion() == "":
			return nil, fmt.Errorf("%s: a %s has no apiVersion", info.Source, u.GetKind())
		case info.Name == "" && u.GetGenerateName() != "":
			return nil, fmt.Errorf("%s: from %s: cannot use generate name with apply", info.Source, u.GetGenerateName())
		case info.Name == "":
			return nil, fmt.Errorf("%s: a %s has no metadata.name", info.Source, u.GetKind())
		}
		read = append(read, &object{
			Manifest: cluster.Manifest{Object: u}, kind: u.GroupVersionKind().GroupKind(), source: info.Source, given: u.GetNamespace(),
		})
	}
	if len(read) == 0 {
		return nil, errors.New("no objects passed to deploy")
	}
	return read, nil
}

// place puts an object into a namespace as kubectl does: its own, else that of -n or the context. enforce says that -n was
// given, which then has to be the object's own.
func (o *object) place(namespace string, enforce, namespaced bool) error {
	switch {
	case !namespaced:
		o.Object.SetNamespace("")
	case o.given == "":
		o.Object.SetNamespace(namespace)
	case enforce && o.given != namespace:
		return fmt.Errorf("the namespace from the provided object %q does not match the namespace %q. You must pass '--namespace=%s' to perform this operation.", //nolint:staticcheck // kubectl's words
			o.given, namespace, o.given)
	}
	return nil
}

// running are the kinds of what runs pods. They come last: pods that start before what they need look as if they failed.
var running = []schema.GroupKind{
	{Group: "apps", Kind: "Deployment"}, {Group: "apps", Kind: "StatefulSet"}, {Group: "apps", Kind: "DaemonSet"}, {Group: "apps", Kind: "ReplicaSet"},
	{Group: "batch", Kind: "Job"}, {Group: "batch", Kind: "CronJob"}, {Kind: "Pod"}, {Kind: "ReplicationController"},
}

const ranks = 4

// rank is when an object is applied: namespaces, what pods need, bindings, whose roles have to be there, what runs pods.
func (o *object) rank() int {
	switch {
	case o.is("", "Namespace"):
		return 0
	case o.kind.Group == "rbac.authorization.k8s.io" && strings.HasSuffix(o.kind.Kind, "Binding"):
		return 2
	case slices.Contains(running, o.kind):
		return 3
	}
	return 1
}

// ordered puts objects into the order of their application, each once. One that two files have differently is an error.
func ordered(read []*object) ([]*object, error) {
	type id struct {
		kind            schema.GroupKind
		namespace, name string
	}
	seen := map[id]*object{}
	var all []*object
	for _, o := range read {
		key := id{o.kind, o.Object.GetNamespace(), o.Object.GetName()}
		switch before := seen[key]; {
		case before == nil:
			seen[key] = o
			all = append(all, o)
		case !reflect.DeepEqual(before.Object, o.Object):
			return nil, fmt.Errorf("%s stands in %s and in %s, and differs", o.name(), printer.Safe(before.source), printer.Safe(o.source))
		}
	}
	slices.SortStableFunc(all, func(a, b *object) int { return cmp.Compare(a.rank(), b.rank()) })
	return all, nil
}

// service is what the core needs of a Service.
func (o *object) service() canary.Service {
	selector, _, _ := unstructured.NestedStringMap(o.Object.Object, "spec", "selector")
	return canary.Service{Name: o.Object.GetName(), Selector: selector}
}

// deployment is what the core needs of a Deployment to tell where it belongs.
func (o *object) deployment() canary.Deployment {
	labels, _, _ := unstructured.NestedStringMap(o.Object.Object, "spec", "template", "metadata", "labels")
	return canary.Deployment{Name: o.Object.GetName(), PodLabels: labels}
}

// replicas is what the manifest of a Deployment asks for; false where it leaves that open.
func (o *object) replicas() (int, bool) {
	n, found, err := unstructured.NestedInt64(o.Object.Object, "spec", "replicas")
	return int(n), found && err == nil
}
