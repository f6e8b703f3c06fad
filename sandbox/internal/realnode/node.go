// Package realnode is what a real node takes of the machine: namespaces, cgroups, images, and the configuration of its programs.
package realnode

import (
	"crypto/sha256"
	"encoding/hex"
	"os"
	"path/filepath"
)

const (
	// Name is the node's name.
	Name = "node-1"
	// Address is the node's: one that is reserved for documentation, so nobody's.
	Address = "192.0.2.1"

	// Socket is where containerd listens, in the cluster's own mounts. Below the cluster's folder its path could be too long.
	Socket = "/run/containerd/containerd.sock"

	// ProxyHealth is where kube-proxy says how it is.
	ProxyHealth = "127.0.0.1:10256"
	// PauseImage is the first container of every pod.
	PauseImage = "docker.io/library/sandbox-pause:1"
)

// Binds are the folders within the cluster's that its mounts have elsewhere too, with short paths.
var Binds = map[string]string{"containerd": "/run/sandbox/containerd", "kubelet": "/run/sandbox/kubelet", "pods": "/run/sandbox/pods"}

// CgroupTree is the path, in every hierarchy, of the cgroup that holds all those of the cluster in the folder dir.
func CgroupTree(dir string) string {
	sum := sha256.Sum256([]byte(dir))
	return "/sandbox-" + filepath.Base(dir) + "-" + hex.EncodeToString(sum[:4])
}

// Programs are the paths of what a real node runs; CNI is the folder of the network plugins.
type Programs struct{ Node, Init, Containerd, Ctr, CNI string }

// Path is the PATH of a cluster's programs: some of what a node needs is only in folders that root alone searches.
func Path() string { return os.Getenv("PATH") + ":/usr/local/sbin:/usr/sbin:/sbin" }
