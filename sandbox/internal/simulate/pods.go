package simulate

// The annotations of a pod that say how it behaves. Durations are Go's, in h, m, s and ms.
const (
	Prefix         = "sandbox.kubectl-canary/"
	ReadyAfter     = Prefix + "ready-after"     // from started to ready; default 1s
	TerminateAfter = Prefix + "terminate-after" // from deleted to gone, but never beyond its grace period; default 1s
	Fault          = Prefix + "fault"           // what goes wrong, in the first container; see Faults
	FaultMessage   = Prefix + "fault-message"   // the message of a container that waits for ever
	CrashEvery     = Prefix + "crash-every"     // from restart to restart; default 2s
	FlapUp         = Prefix + "flap-up"         // how long a flapping pod is ready; default 3s
	FlapDown       = Prefix + "flap-down"       // how long a flapping pod is not ready; default 2s
	CompleteAfter  = Prefix + "complete-after"  // from ready to succeeded, for the pods of a Job; default 1s
)

// Faults are the values of the annotation Fault. Any other value is shown as a container that cannot be configured.
var Faults = []string{
	"never-ready", "crash-loop", "oom", "image-pull", "invalid-image", "image-never-pull", "config-error", "create-error", "run-error",
	"mount", "init-config-error", "init-crash-loop", "flap",
}

// jq is what the conditions and delays of the stages are written in: c is the first container, to which the fault happens.
const jq = `
def note($key): .metadata.annotations["` + Prefix + `" + $key] // "";
def ms: [scan("([0-9.]+)(h|ms|m|s)") | (.[0] | tonumber) * {h: 3600000, m: 60000, s: 1000, ms: 1}[.[1]]] | add // 0;
def wait($key; $default): (note($key) | if . == "" then $default else . end) | ms;
def fault: note("fault");
def crashes: fault | IN("crash-loop", "oom");
def runs: fault | IN("", "never-ready", "crash-loop", "oom", "flap");
def initFails: (fault | IN("init-config-error", "init-crash-loop")) and .spec.initContainers != null;
def cannotStart: (runs or fault == "mount" or initFails) | not;
def c: .status.containerStatuses[0];
def starting: .status.phase == "Pending" and (c.state.waiting.reason | IN("ContainerCreating", "PodInitializing"));
def cond($type): [.status.conditions[]? | select(.type == $type) | .status][0];
def since($type): [.status.conditions[]? | select(.type == $type) | .lastTransitionTime][0];
def gates: . as $pod | all(.spec.readinessGates[]?.conditionType; . as $gate | $pod | cond($gate) == "True");
def ofJob: any(.metadata.ownerReferences[]?; .kind == "Job");
def here: .metadata.deletionTimestamp == null;
`

// stage is one step of a pod's life: a pod for which when holds goes, after a while, to what set says.
type stage struct {
	name  string
	when  string // a jq condition; no two stages may hold for one pod, or kwok takes either
	after string // jq, in milliseconds; none is at once
	set   string // template variables for status.tmpl; none deletes the pod
	event string // the reason and the message of a warning, if any
}

const (
	restReady = `{{ $rest := dict "go" "running" "ready" true }}`
	creating  = `{{ $phase := "Pending" }}{{ $first := dict "go" "waiting" "reason" "ContainerCreating" }}
		{{ if .spec.initContainers }}{{ $first = dict "go" "waiting" "reason" "PodInitializing" }}{{ end }}{{ $rest := $first }}`
	started = `{{ $phase := "Running" }}{{ $first := dict "go" "running" }}{{ $rest := dict "go" "running" }}`
	stuck   = `{{ $phase := "Pending" }}{{ $rest := dict "go" "running" "ready" true }}{{ $image := (index .spec.containers 0).image }}
		{{ $fault := index .metadata.annotations "` + Fault + `" }}
		{{ $reason := get (dict "image-pull" "ErrImagePull" "invalid-image" "InvalidImageName" "image-never-pull" "ErrImageNeverPull"
			"create-error" "CreateContainerError" "run-error" "RunContainerError") $fault | default "CreateContainerConfigError" }}
		{{ $message := get (dict
			"image-pull" (printf "rpc error: code = NotFound desc = failed to pull and unpack image %q: not found" $image)
			"invalid-image" (printf "Failed to apply default image tag %q: couldn't parse image name %q: invalid reference format" $image $image)
			"image-never-pull" (printf "Container image %q is not present with pull policy of Never" $image)
			"create-error" "failed to generate container spec: no command specified"
			"run-error" "failed to create containerd task: exec: \"/app\": stat /app: no such file or directory"
			"config-error" "secret \"app-config\" not found") $fault | default (printf "unknown value %q of the annotation ` + Fault + `" $fault) }}
		{{ $first := dict "go" "waiting" "reason" $reason "message" (or (index .metadata.annotations "` + FaultMessage + `") $message) }}`
	running = `{{ $phase := "Running" }}`
	pending = `{{ $phase := "Pending" }}`
)

var podStages = []stage{
	{
		name: "create",
		when: `here and .status.startTime == null and fault != "mount"`,
		set:  creating,
	},
	{
		name:  "create-unmounted",
		when:  `here and .status.startTime == null and fault == "mount"`,
		set:   creating,
		event: `FailedMount: MountVolume.SetUp failed for volume "config" : configmap "app-config" not found`,
	},
	{
		name:  "start",
		when:  `here and .status.phase == "Pending" and c.state.waiting != null and runs and fault != "never-ready"`,
		after: `50`,
		set:   started,
	},
	{
		name:  "start-unready",
		when:  `here and .status.phase == "Pending" and c.state.waiting != null and fault == "never-ready"`,
		after: `50`,
		set:   started,
		event: "Unhealthy: Readiness probe failed: HTTP probe failed with statuscode: 503",
	},
	{
		name:  "ready",
		when:  `here and .status.phase == "Running" and c.state.running != null and (c.ready | not) and (fault | IN("", "flap"))`,
		after: `if fault == "flap" and since("ContainersReady") > c.state.running.startedAt then wait("flap-down"; "2s") else wait("ready-after"; "1s") end`,
		set:   running + `{{ $first := dict "go" "running" "ready" true }}` + restReady,
	},
	{
		// what is not this container's doing: somebody has set the condition of a readiness gate
		name: "gates",
		when: `here and .status.phase == "Running" and c.ready and fault == "" and (ofJob | not) and
			(cond("Ready") == "True") != (cond("ContainersReady") == "True" and gates)`,
		set: running + `{{ $first := dict "go" "keep" }}{{ $rest := dict "go" "keep" }}`,
	},
	{
		name:  "unready",
		when:  `here and .status.phase == "Running" and c.ready and (fault | IN("flap", "never-ready"))`,
		after: `if fault == "flap" then wait("flap-up"; "3s") else 0 end`,
		set:   running + `{{ $first := dict "go" "running" }}` + restReady,
		event: "Unhealthy: Readiness probe failed: HTTP probe failed with statuscode: 503",
	},
	{
		name:  "others-ready",
		when:  `here and .status.phase == "Running" and (c.ready | not) and fault == "never-ready" and any(.status.containerStatuses[1:][]; .ready | not)`,
		after: `wait("ready-after"; "1s")`,
		set:   running + `{{ $first := dict "go" "keep" }}` + restReady,
	},

	// A crash loop spends a quarter of its time running, a quarter stopped and half in back-off. As with a kubelet, there is no
	// back-off before the first restart. A fault that is taken away ends at the next one.
	{
		name:  "crash",
		when:  `here and .status.phase == "Running" and c.state.running != null and crashes`,
		after: `wait("crash-every"; "2s") / 4`,
		set: `{{ $phase := ternary "Failed" "Running" (eq .spec.restartPolicy "Never") }}
			{{ $first := dict "go" "terminated" "exitCode" 1 "reason" "Error" }}
			{{ if eq (index .metadata.annotations "` + Fault + `") "oom" }}{{ $first = dict "go" "terminated" "exitCode" 137 "reason" "OOMKilled" }}{{ end }}` + restReady,
	},
	{
		name:  "restart-at-once",
		when:  `here and .status.phase == "Running" and c.state.terminated != null and (c.restartCount == 0 and crashes or fault == "")`,
		after: `wait("crash-every"; "2s") / 4`,
		set:   running + `{{ $first := dict "go" "running" }}` + restReady,
	},
	{
		name:  "back-off",
		when:  `here and .status.phase == "Running" and c.state.terminated != null and c.restartCount > 0 and crashes`,
		after: `wait("crash-every"; "2s") / 4`,
		set: running + restReady + `{{ $first := dict "go" "waiting" "reason" "CrashLoopBackOff" "message"
			(printf "back-off 10s restarting failed container=%s pod=%s_%s(%s)" (index .spec.containers 0).name .metadata.name .metadata.namespace .metadata.uid) }}`,
		event: "BackOff: Back-off restarting failed container",
	},
	{
		name:  "restart",
		when:  `here and .status.phase == "Running" and c.state.waiting.reason == "CrashLoopBackOff" and (crashes or fault == "")`,
		after: `wait("crash-every"; "2s") / 2`,
		set:   running + `{{ $first := dict "go" "running" }}` + restReady,
	},

	// The containers that never start.
	{
		name:  "stuck",
		when:  `here and starting and cannotStart and fault != "image-pull"`,
		after: `200`,
		set:   stuck,
		event: "Failed: Error: the container cannot be started",
	},
	{
		name:  "pull",
		when:  `here and starting and fault == "image-pull"`,
		after: `200`,
		set:   stuck,
		event: "Failed: Failed to pull image: rpc error: code = NotFound desc = not found",
	},
	{
		// a crash loop of the first init container is seen only in its back-off, with a restart more each time
		name:  "init-stuck",
		when:  `here and starting and initFails and (fault == "init-crash-loop" or .status.initContainerStatuses[0].state.waiting.reason == "PodInitializing")`,
		after: `if fault == "init-crash-loop" then wait("crash-every"; "2s") else 200 end`,
		set: pending + `{{ $init := dict "reason" "CreateContainerConfigError" "message" "secret \"app-config\" not found" }}
			{{ if eq (index .metadata.annotations "` + Fault + `") "init-crash-loop" }}{{ $init = dict "reason" "CrashLoopBackOff" }}{{ end }}
			{{ $first := dict "go" "waiting" "reason" "PodInitializing" "init" $init }}{{ $rest := $first }}`,
	},
	{
		name:  "pull-back-off",
		when:  `here and .status.phase == "Pending" and c.state.waiting.reason == "ErrImagePull"`,
		after: `1000`,
		set: pending + `{{ $rest := dict "go" "keep" }}{{ $first := dict "go" "waiting" "reason" "ImagePullBackOff" "message"
			(or (index .metadata.annotations "` + FaultMessage + `") (printf "Back-off pulling image %q" (index .spec.containers 0).image)) }}`,
		event: "BackOff: Back-off pulling image",
	},

	{
		name:  "complete",
		when:  `here and .status.phase == "Running" and c.ready and fault == "" and ofJob`,
		after: `wait("complete-after"; "1s")`,
		set:   `{{ $phase := "Succeeded" }}{{ $first := dict "go" "terminated" "exitCode" 0 "reason" "Completed" }}{{ $rest := $first }}`,
	},
	{
		// a grace period of 0 is what the deletion itself sets: then only a finalizer keeps the pod
		name:  "delete",
		when:  `(here | not) and .metadata.deletionGracePeriodSeconds != 0`,
		after: `[wait("terminate-after"; "1s"), ((.metadata.deletionTimestamp | fromdate) - now) * 1000] | min`,
	},
}
