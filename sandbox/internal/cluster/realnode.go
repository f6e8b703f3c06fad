package cluster

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"strconv"
	"syscall"
	"time"

	"github.com/kubectl-canary/kubectl-canary/sandbox/internal/image"
	"github.com/kubectl-canary/kubectl-canary/sandbox/internal/realnode"
)

// namespaces are those of a cluster with a real node, and nobody's when its init is dead.
func (s *state) namespaces() realnode.Namespaces {
	if !s.Init.alive() {
		return realnode.Namespaces{}
	}
	return realnode.Namespaces{PID: s.Init.PID}
}

// furnish makes the namespaces that all components of a cluster with a real node run in, and adds the node's to commands.
func (c *Cluster) furnish(s *state, programs realnode.Programs, commands map[string][]string) error {
	config := realnode.Config{
		Dir: c.Dir, PodCIDR: podCIDR, CNIPlugins: programs.CNI,
		CA: c.cert("ca"), KubeletCert: c.cert("kubelet"), KubeletKey: c.key("kubelet"),
		KubeletKubeconfig: c.path("kubelet.kubeconfig"), ProxyKubeconfig: c.path("kube-proxy.kubeconfig"),
	}
	if err := os.MkdirAll(c.path("node", "cni"), 0o700); err != nil {
		return err
	}
	if err := writeFiles(config.Files()); err != nil {
		return err
	}
	commands[Containerd], commands[Kubelet], commands[KubeProxy] = config.Args()

	log, err := os.Create(c.logFile("init"))
	if err != nil {
		return err
	}
	defer log.Close()
	namespaces, proceed, err := realnode.StartInit(programs.Init, c.Dir, log)
	if err != nil {
		return err
	}
	s.Init = process{PID: namespaces.PID, Born: born(namespaces.PID)}
	if err := c.save(s); err != nil {
		return err
	}
	if err := proceed(); err != nil {
		return fmt.Errorf("the node's namespaces: %w: %s", err, tail(end(c.logFile("init")), tailLines))
	}
	return nil
}

// clearNode kills everything in the cluster's namespaces, which ends them with their mounts and network, and removes its cgroups.
func (c *Cluster) clearNode(s *state) error {
	all := append(c.guests(), s.Init)
	for _, p := range all {
		p.signal(syscall.SIGKILL)
	}
	for _, r := range s.Components {
		all = append(all, r.Process)
	}
	if !gone(10*time.Second, all) {
		return fmt.Errorf("a process does not end: %v", all)
	}
	return realnode.RemoveCgroups(realnode.CgroupTree(c.Dir))
}

// program is what a component is a part of; empty for this program.
func program(programs realnode.Programs, component string) string {
	switch component {
	case Containerd:
		return programs.Containerd
	case Kubelet, KubeProxy, MetricsServer:
		return programs.Node
	}
	return ""
}

// withNode reads the record of a cluster that should have a real node, and returns its namespaces.
func (c *Cluster) withNode() (realnode.Namespaces, error) {
	s, err := c.running()
	switch {
	case err != nil:
		return realnode.Namespaces{}, err
	case !s.RealNode:
		return realnode.Namespaces{}, fmt.Errorf("cluster %q has no real node: it was not started with --real-node", c.Name)
	case !s.Init.alive():
		return realnode.Namespaces{}, fmt.Errorf("cluster %q is broken: run `%s` and `%s`", c.Name, c.again("down"), c.again(s.upAgain()))
	}
	return s.namespaces(), nil
}

// Exec becomes a program in the network of a cluster with a real node, and ends with it. It returns only errors.
func (c *Cluster) Exec(argv []string) error {
	namespaces, err := c.withNode()
	if err != nil {
		return err
	}
	if err := os.MkdirAll(c.path("exec"), 0o700); err != nil {
		return err
	}
	pid := os.Getpid()
	if err := os.WriteFile(c.path("exec", strconv.Itoa(pid)), []byte(born(pid)), 0o600); err != nil {
		return err
	}
	return namespaces.Exec(argv)
}

// guests are the processes that Exec has become. They are outside of the pid namespace, and would keep the network.
func (c *Cluster) guests() []process {
	var all []process
	entries, _ := os.ReadDir(c.path("exec")) // none without it
	for _, e := range entries {
		pid, _ := strconv.Atoi(e.Name())
		born, err := os.ReadFile(c.path("exec", e.Name()))
		if err == nil && pid != os.Getpid() {
			all = append(all, process{PID: pid, Born: string(born)})
		}
	}
	return all
}

// LoadImage makes an image of a static program and gives it to the real node under every ref.
func (c *Cluster) LoadImage(ctx context.Context, program string, refs []string) error {
	namespaces, err := c.withNode()
	if err != nil {
		return err
	}
	programs, err := realnode.Find()
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	return image.Load(ctx, namespaces.Path(realnode.Socket), programs.Ctr, program, nil, refs)
}

// loadPause gives the node the image that every pod begins with.
func (c *Cluster) loadPause(ctx context.Context, s *state, programs realnode.Programs) error {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	err := image.Load(ctx, s.namespaces().Path(realnode.Socket), programs.Ctr, programs.Init, []string{"pause"}, []string{realnode.PauseImage})
	if err != nil {
		return fmt.Errorf("the image of pods' first container: %w", err)
	}
	return nil
}

// containerd says whether containerd listens.
func (s *state) containerd(context.Context) error {
	conn, err := net.Dial("unix", s.namespaces().Path(realnode.Socket))
	if err == nil {
		conn.Close()
	}
	return err
}

// routed says whether kube-proxy has written its rules.
func (s *state) routed(ctx context.Context) error {
	client := &http.Client{Transport: &http.Transport{DialContext: s.namespaces().Dial, DisableKeepAlives: true}}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+realnode.ProxyHealth+"/livez", nil)
	if err != nil {
		return err
	}
	resp, err := client.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	var health struct{ Status map[string]any } // of each address family whose rules are written
	if err := json.NewDecoder(resp.Body).Decode(&health); err != nil {
		return err
	}
	if resp.StatusCode != http.StatusOK || health.Status["IPv4"] == nil {
		return errors.New("kube-proxy has written no rules yet")
	}
	return nil
}
