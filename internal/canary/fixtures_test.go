package canary

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"
)

// The properties are quick to check, so more often than by default; a failure prints the seed that repeats it.
func TestMain(m *testing.M) {
	for name, value := range map[string]string{"rapid.checks": "1000", "rapid.nofailfile": "true"} {
		if err := flag.Set(name, value); err != nil {
			panic(err)
		}
	}
	os.Exit(m.Run())
}

// noon is the time at which things happen in tests: the core has no clock of its own.
var noon = time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)

// labels reads labels as kubectl writes them: "app=auth,version=v1".
func labels(s string) map[string]string {
	if s == "" {
		return nil
	}
	all := map[string]string{}
	for pair := range strings.SplitSeq(s, ",") {
		k, v, _ := strings.Cut(pair, "=")
		all[k] = v
	}
	return all
}

// equals is a selector of matchLabels only.
type equals map[string]string

func (e equals) Matches(pod map[string]string) bool {
	for k, v := range e {
		if got, ok := pod[k]; !ok || got != v {
			return false
		}
	}
	return true
}

func service(name, selector string) Service {
	return Service{Name: name, Selector: labels(selector)}
}

// deployment is one that stands complete, and whose selector is all labels of its pods.
func deployment(name string, replicas int, podLabels string) Deployment {
	l := labels(podLabels)
	return Deployment{
		Name: name, UID: "uid-" + name, PodLabels: l, MatchLabels: l, Selector: equals(l), Replicas: replicas,
		Pods: replicas, UpdatedPods: replicas, ReadyPods: replicas, Generation: 1, Observed: 1, Created: noon,
	}
}

// namespace is a snapshot in which every pod of the Deployments runs and serves in every Service that selects it.
func namespace(objects ...any) *Snapshot {
	s := &Snapshot{Namespace: "messenger", Leases: map[string]Lease{}}
	for _, o := range objects {
		switch o := o.(type) {
		case Service:
			s.Services = append(s.Services, o)
		case Deployment:
			s.Deployments = append(s.Deployments, o)
		case Autoscaler:
			s.Autoscalers = append(s.Autoscalers, o)
		}
	}
	for _, d := range s.Deployments {
		for i := range d.Replicas {
			s.run(Pod{Name: fmt.Sprintf("%s-%d", d.Name, i), Labels: d.PodLabels, Owned: true})
		}
	}
	return s
}

// run adds a pod that serves in every Service that selects it.
func (s *Snapshot) run(p Pod) {
	p.UID = "uid-" + p.Name
	s.Pods = append(s.Pods, p)
	for _, svc := range s.Services {
		if len(svc.Selector) > 0 && (equals(svc.Selector)).Matches(p.Labels) {
			s.Endpoints = append(s.Endpoints, Endpoint{Service: svc.Name, PodUID: p.UID, Address: "ip-" + p.Name, Ready: true})
		}
	}
}

// record puts a record into the Lease of a release.
func (s *Snapshot) record(release string, rec Record) *Snapshot {
	s.Leases[release] = Lease{Record: &rec}
	return s
}

// one discovers the only release.
func one(s *Snapshot, o Options) *Release {
	all := Discover(s, o)
	if len(all) != 1 {
		panic(fmt.Sprintf("%d releases, want 1", len(all)))
	}
	return &all[0]
}

// auth is a namespace with one release, of v1 and v2.
func auth(stable, canary int) *Snapshot {
	return namespace(service("auth", "app=auth"),
		deployment("auth-v1", stable, "app=auth,version=v1"), deployment("auth-v2", canary, "app=auth,version=v2"))
}

// recorded is the record of a release that was last set to a split.
func recorded(baseline int, w Weight, set Split) Record {
	return Record{Schema: RecordSchema, Stable: "v1", Canary: "v2", Baseline: baseline, Desired: w, Target: set, Set: set}
}

func codes(problems []Problem) []string {
	var all []string
	for _, p := range problems {
		all = append(all, p.Code)
	}
	return all
}
