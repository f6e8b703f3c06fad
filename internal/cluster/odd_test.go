package cluster

import (
	"encoding/json"
	"fmt"
	"math"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	policyv1 "k8s.io/api/policy/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/randfill"

	"github.com/kubectl-canary/kubectl-canary/internal/canary"
)

// oddObjects are what a namespace may hold at worst: whatever the API's types can say, most of it about one release, auth.
type oddObjects struct {
	Services    []corev1.Service
	Deployments []appsv1.Deployment
	ReplicaSets []appsv1.ReplicaSet
	Pods        []corev1.Pod
	Slices      []discoveryv1.EndpointSlice
	Leases      []coordinationv1.Lease
	Scalers     []autoscalingv2.HorizontalPodAutoscaler
	Events      []corev1.Event
	Quotas      []corev1.ResourceQuota
	LimitRanges []corev1.LimitRange
	Budgets     []policyv1.PodDisruptionBudget
	Claims      []corev1.PersistentVolumeClaim
	Nodes       []corev1.Node
}

// oddStrings are what somebody may write where the API does not look, and words that mean something here.
var oddStrings = []string{
	"", "auth", "v1", "v2", "Ready", "PodScheduled", "Pod", "True", "False", "CrashLoopBackOff", "ImagePullBackOff", "InvalidImageName",
	"ReplicaFailure", "FailedCreate", "Unhealthy", "Deployment", "Warning", "\x1b[2J\x1b[31mred", "\x1b]0;title\a", "\u009b31m", "a\u202eb\u2066c\u200f",
	"one\ntwo\r\n\tauth   25%", "\b\x7f\u0085", "bad\xff\xfeutf8", "\u2028\u2029", "\U000e0041tag", "%s%d%!", strings.Repeat("long ", 2000),
}

var oddNumbers = []int64{0, 1, 1, 1, 2, 2, 2, 3, 3, 128, 137, -1, math.MaxInt32, math.MinInt32}

// odd makes a namespace of the bytes of a fuzz test: the same of the same.
func odd(data []byte) *canary.Snapshot { return snapshotOf(oddNamespace(data)) }

func oddNamespace(data []byte) *oddObjects {
	var all oddObjects
	randfill.NewFromGoFuzz(data).NilChance(0.2).NumElements(1, 5).MaxDepth(12).Funcs(
		func(s *string, c randfill.Continue) { *s = oddStrings[c.Intn(len(oddStrings))] },
		func(n *int32, c randfill.Continue) { *n = int32(oddNumbers[c.Intn(len(oddNumbers))]) },
		func(n *int64, c randfill.Continue) { *n = oddNumbers[c.Intn(len(oddNumbers))] },
		func(n *int, c randfill.Continue) { *n = c.Intn(5) },
		func(s *types.UID, c randfill.Continue) { *s = types.UID(fmt.Sprint("uid-", c.Intn(4))) },
		func(t *metav1.Time, c randfill.Continue) { t.Time = noon.Add(-1 << c.Intn(60)) },
		func(t *metav1.MicroTime, c randfill.Continue) { t.Time = noon.Add(1 << c.Intn(60)) },
		func(q *resource.Quantity, c randfill.Continue) {
			*q = resource.MustParse([]string{"100m", "0", "-5", "1e30", "9223372036854775807", "1Ei"}[c.Intn(6)])
		},
		func(f *metav1.FieldsV1, c randfill.Continue) {
			f.SetRawBytes([]byte([]string{`{"f:spec":{"f:replicas":{}}}`, `{"f:replicas":[`, `null`, ``}[c.Intn(4)]))
		},
		func(spec *corev1.PodSpec, c randfill.Continue) {
			c.Fill(&spec.NodeName)
			c.Fill(&spec.ReadinessGates)
			c.Fill(&spec.SchedulingGates)
			for range c.Intn(3) {
				container := corev1.Container{}
				c.Fill(&container.Name)
				c.Fill(&container.Image)
				c.Fill(&container.Resources)
				spec.Containers = append(spec.Containers, container)
			}
			spec.InitContainers = spec.Containers
		},
		func(m *metav1.ObjectMeta, c randfill.Continue) {
			c.FillNoCustom(m)
			m.Namespace = ns
		},
		func(s *corev1.Service, c randfill.Continue) {
			c.FillNoCustom(s)
			s.Name = word(c, "auth", "auth", "auth", "chat")
			if often(c) {
				s.Spec.Selector = map[string]string{"app": "auth"}
			}
		},
		func(d *appsv1.Deployment, c randfill.Continue) {
			c.FillNoCustom(d)
			labels := ofVersion(c)
			d.Name, d.UID = "auth-"+labels["version"], types.UID("uid-"+labels["version"])
			if often(c) {
				d.Spec.Replicas = ptr(int32(c.Intn(3)))
			}
			if often(c) {
				d.Spec.Template.Labels, d.Spec.Selector = labels, &metav1.LabelSelector{MatchLabels: labels}
			}
		},
		func(rs *appsv1.ReplicaSet, c randfill.Continue) {
			c.FillNoCustom(rs)
			rs.OwnerReferences = ownedBy("Deployment", "auth-v2", "uid-v2")
			rs.Name = word(c, "rs")
		},
		func(p *corev1.Pod, c randfill.Continue) {
			c.FillNoCustom(p)
			p.Name, p.UID = fmt.Sprint("pod-", c.Intn(4)), types.UID(fmt.Sprint("uid-", c.Intn(4)))
			if often(c) {
				p.Labels, p.OwnerReferences, p.DeletionTimestamp = ofVersion(c), ownedBy("ReplicaSet", "rs", "uid-rs"), nil
			}
		},
		func(s *discoveryv1.EndpointSlice, c randfill.Continue) {
			c.FillNoCustom(s)
			if often(c) {
				s.Labels = map[string]string{discoveryv1.LabelServiceName: "auth"}
			}
		},
		func(e *discoveryv1.Endpoint, c randfill.Continue) {
			c.FillNoCustom(e)
			if often(c) {
				e.TargetRef = &corev1.ObjectReference{Kind: "Pod", UID: types.UID(fmt.Sprint("uid-", c.Intn(4)))}
				e.Conditions.Terminating = nil
			}
		},
		func(l *coordinationv1.Lease, c randfill.Continue) {
			c.FillNoCustom(l)
			l.Name = leasePrefix + word(c, "auth")
			if c.Intn(2) == 0 {
				l.Spec.HolderIdentity = nil
			}
			if often(c) {
				l.Annotations = map[string]string{stateAnnotation: oddRecord(c)}
			}
		},
		func(e *corev1.Event, c randfill.Continue) {
			c.FillNoCustom(e)
			e.InvolvedObject.Kind, e.InvolvedObject.Name = "Pod", fmt.Sprint("pod-", c.Intn(4))
		},
	).Fill(&all)
	return &all
}

func often(c randfill.Continue) bool { return c.Intn(8) > 0 }

// word is one of those, or anything.
func word(c randfill.Continue, words ...string) string {
	if often(c) {
		return words[c.Intn(len(words))]
	}
	return oddStrings[c.Intn(len(oddStrings))]
}

func ofVersion(c randfill.Continue) map[string]string {
	return map[string]string{"app": "auth", "version": word(c, "v1", "v2")}
}

func ownedBy(kind, name, uid string) []metav1.OwnerReference {
	return []metav1.OwnerReference{{Kind: kind, Name: name, UID: types.UID(uid), Controller: ptr(true)}}
}

// oddRecord is the text of a record, with any strings and numbers.
func oddRecord(c randfill.Continue) string {
	var record canary.Record
	c.Fill(&record)
	record.Schema, record.Stable, record.Canary = canary.RecordSchema, word(c, "v1"), word(c, "v2")
	record.Desired = canary.Weight(c.Intn(10_001))
	for i := range record.Changes {
		record.Changes[i].From, record.Changes[i].To = record.Desired, canary.Full
	}
	text, err := json.Marshal(record)
	if err != nil {
		return err.Error()
	}
	return string(text)
}

// snapshotOf converts as the feeds do: one object of a name, the last.
func snapshotOf(all *oddObjects) *canary.Snapshot {
	s := &canary.Snapshot{Namespace: ns, Leases: map[string]canary.Lease{}}
	seen := map[string]bool{}
	once := func(kind, name string) bool {
		was := seen[kind+name]
		seen[kind+name] = true
		return !was
	}
	for i := range all.Services {
		if o := &all.Services[i]; once("service", o.Name) {
			s.Services = append(s.Services, toService(o))
		}
	}
	for i := range all.Deployments {
		if o := &all.Deployments[i]; once("deployment", o.Name) {
			s.Deployments = append(s.Deployments, toDeployment(o))
		}
	}
	for i := range all.ReplicaSets {
		if rs, ok := toReplicaSet(&all.ReplicaSets[i]); ok {
			s.ReplicaSets = append(s.ReplicaSets, rs)
		}
	}
	for i := range all.Pods {
		if o := &all.Pods[i]; once("pod", o.Name) {
			s.Pods = append(s.Pods, toPod(o))
		}
	}
	for i := range all.Slices {
		s.Endpoints = append(s.Endpoints, toEndpoints(&all.Slices[i])...)
	}
	for i := range all.Leases {
		if l, ok := toLease(&all.Leases[i]); ok {
			s.Leases[l.release] = l.at(noon)
		}
	}
	for i := range all.Scalers {
		if a, ok := toAutoscaler(&all.Scalers[i]); ok {
			s.Autoscalers = append(s.Autoscalers, a)
		}
	}
	for i := range all.Events {
		s.Happenings = append(s.Happenings, toHappening(&all.Events[i]))
	}
	for i := range all.Quotas {
		s.Quotas = append(s.Quotas, toQuota(&all.Quotas[i]))
	}
	for i := range all.LimitRanges {
		s.LimitRanges = append(s.LimitRanges, toLimitRange(&all.LimitRanges[i]))
	}
	return s
}
