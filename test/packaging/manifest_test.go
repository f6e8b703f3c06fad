// Package packaging tests what a release ships: the manifest against krew's rules and the habits of those who review for
// krew-index, the archives of `make dist`, and the plugin installed from one of them as krew does.
package packaging

import (
	"bytes"
	"fmt"
	"os"
	"path"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"sigs.k8s.io/yaml"

	"github.com/kubectl-canary/kubectl-canary/hack/krewmanifest/render"
)

const (
	root = "../.."
	dist = root + "/dist"
)

// manifest is all that krew knows of one. Unknown fields are errors.
type manifest struct {
	APIVersion string `json:"apiVersion"`
	Kind       string `json:"kind"`
	Metadata   struct {
		Name string `json:"name"`
	} `json:"metadata"`
	Spec struct {
		Version          string     `json:"version"`
		ShortDescription string     `json:"shortDescription"`
		Description      string     `json:"description"`
		Caveats          string     `json:"caveats"`
		Homepage         string     `json:"homepage"`
		Platforms        []platform `json:"platforms"`
	} `json:"spec"`
}

type platform struct {
	URI      string                `json:"uri"`
	Sha256   string                `json:"sha256"`
	Bin      string                `json:"bin"`
	Selector *metav1.LabelSelector `json:"selector"`
	Files    []files               `json:"files"`
}

type files struct {
	From string `json:"from"`
	To   string `json:"to"`
}

// systems are those that krew itself is released for.
var systems = strings.Fields(`windows/386 windows/amd64 windows/arm64 linux/386 linux/amd64 linux/arm linux/arm64
	linux/ppc64le darwin/386 darwin/amd64 darwin/arm64`)

// selects are the systems on which krew would take the platform.
func (p platform) selects() ([]string, error) {
	selector, err := metav1.LabelSelectorAsSelector(p.Selector)
	if err != nil {
		return nil, err
	}
	var found []string
	for _, system := range systems {
		goos, goarch, _ := strings.Cut(system, "/")
		if selector.Matches(labels.Set{"os": goos, "arch": goarch}) {
			found = append(found, system)
		}
	}
	return found, nil
}

// archive is the file's name at the end of the URI.
func (p platform) archive() string { return path.Base(p.URI) }

func parse(t *testing.T, text []byte) manifest {
	t.Helper()
	var m manifest
	if err := yaml.UnmarshalStrict(text, &m); err != nil {
		t.Fatal(err)
	}
	return m
}

// shipped is the manifest that `make dist` rendered.
func shipped(t *testing.T) manifest {
	t.Helper()
	text, err := os.ReadFile(dist + "/canary.yaml")
	if err != nil {
		t.Fatalf("%v: run make dist", err)
	}
	return parse(t, text)
}

// rendered is the manifest of a release whose archives nobody has built.
func rendered(t *testing.T) manifest {
	t.Helper()
	var sums strings.Builder
	for _, system := range systems {
		for _, ending := range []string{"tar.gz", "zip"} {
			fmt.Fprintf(&sums, "a%063x  kubectl-canary_v1.2.3_%s.%s\n", sums.Len(), strings.ReplaceAll(system, "/", "_"), ending)
		}
	}
	text, err := os.ReadFile(root + "/.krew.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var m bytes.Buffer
	if err := render.Manifest(&m, string(text), "v1.2.3", sums.String()); err != nil {
		t.Fatal(err)
	}
	return parse(t, m.Bytes())
}
