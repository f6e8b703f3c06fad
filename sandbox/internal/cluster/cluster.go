// Package cluster starts, watches and stops a cluster: processes of this very program, and those of a real node,
// with their keys, logs and data in one folder.
package cluster

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// Cluster is a cluster by name, whether it runs or not.
type Cluster struct {
	Name string
	// Dir holds everything the cluster has.
	Dir string
	// Progress is where it says what it is doing.
	Progress io.Writer
}

// state is what is recorded of a cluster, after every process started.
type state struct {
	Nodes      int         `json:"nodes"`
	Server     string      `json:"server"`
	Ready      bool        `json:"ready"` // `up` has seen it ready
	RealNode   bool        `json:"realNode,omitempty"`
	Metrics    bool        `json:"metrics,omitempty"` // metrics-server too
	Init       process     `json:"init,omitzero"`     // of the namespaces that a real node's cluster runs in
	Components []*recorded `json:"components"`
}

// recorded is a component's process, and how to start it again. An empty Program stands for this one.
type recorded struct {
	Name    string   `json:"name"`
	Program string   `json:"program,omitempty"`
	Args    []string `json:"args"`
	Process process  `json:"process"`
}

var nameRule = regexp.MustCompile(`^[a-z0-9]([-a-z0-9.]{0,61}[a-z0-9])?$`)

// Open returns the cluster called name in the folder root; an empty root stands for the user's cache folder.
func Open(root, name string, progress io.Writer) (*Cluster, error) {
	if !nameRule.MatchString(name) {
		return nil, fmt.Errorf("cluster name %q: want lower case letters, digits, '-' and '.'", name)
	}
	if root == "" {
		cache, err := os.UserCacheDir()
		if err != nil {
			return nil, fmt.Errorf("%w: give --dir", err)
		}
		root = filepath.Join(cache, "kubectl-canary", "sandbox")
	}
	root, err := filepath.Abs(root)
	if err != nil {
		return nil, err
	}
	return &Cluster{Name: name, Dir: filepath.Join(root, name), Progress: progress}, nil
}

// KubeconfigPath is the path of the administrator's kubeconfig.
func (c *Cluster) KubeconfigPath() string { return c.path("kubeconfig") }

func (c *Cluster) path(elem ...string) string {
	return filepath.Join(append([]string{c.Dir}, elem...)...)
}

func (c *Cluster) logFile(name string) string { return c.path("logs", name+".log") }

func (c *Cluster) progressf(format string, args ...any) {
	fmt.Fprintf(c.Progress, "sandbox: "+format+"\n", args...)
}

// again is the command that does verb to this cluster.
func (c *Cluster) again(verb string) string {
	cmd := "sandbox " + verb
	if c.Name != "default" {
		cmd += " --name " + c.Name
	}
	return cmd
}

// upAgain is the verb, and its flags, that started the cluster.
func (s *state) upAgain() string {
	switch {
	case s.Metrics:
		return "up --real-node --metrics"
	case s.RealNode:
		return "up --real-node"
	}
	return "up"
}

var errNoCluster = errors.New("no such cluster")

func (c *Cluster) noCluster() error {
	return fmt.Errorf("no cluster %q in %s: start it with `%s`", c.Name, filepath.Dir(c.Dir), c.again("up"))
}

// load reads the record; errNoCluster when there is none.
func (c *Cluster) load() (*state, error) {
	data, err := os.ReadFile(c.path("state.json"))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, errNoCluster
	}
	if err != nil {
		return nil, err
	}
	s := &state{}
	if err := json.Unmarshal(data, s); err != nil {
		return nil, fmt.Errorf("%s: %w", c.path("state.json"), err)
	}
	return s, nil
}

// running reads the record of a cluster that should be there.
func (c *Cluster) running() (*state, error) {
	s, err := c.load()
	if errors.Is(err, errNoCluster) {
		return nil, c.noCluster()
	}
	return s, err
}

// save replaces the record in one step: a reader never sees half of it.
func (c *Cluster) save(s *state) error {
	data, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		return err
	}
	tmp := c.path("state.json.new")
	if err := os.WriteFile(tmp, append(data, '\n'), 0o600); err != nil {
		return err
	}
	return os.Rename(tmp, c.path("state.json"))
}

// component finds a component by its name, or by its name without "kube-".
func (s *state) component(name string) (*recorded, error) {
	for _, r := range s.Components {
		if name == r.Name || "kube-"+name == r.Name {
			return r, nil
		}
	}
	return nil, s.unknownComponent(name)
}

func (s *state) unknownComponent(name string) error {
	return fmt.Errorf("no component %q: there are %s", name, strings.Join(s.names(), ", "))
}

// dead lists the components whose process is gone.
func (s *state) dead() []string {
	var names []string
	for _, want := range s.names() {
		i := slices.IndexFunc(s.Components, func(r *recorded) bool { return r.Name == want })
		if i < 0 || !s.Components[i].Process.alive() {
			names = append(names, want)
		}
	}
	return names
}
