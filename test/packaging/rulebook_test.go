package packaging

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/util/version"
)

// rule is one that krew enforces, or that its developer guide or those who review for krew-index ask for.
type rule struct {
	says   string
	check  func(manifest) error
	broken []func(*manifest) // ways of breaking it
}

const homepage = "https://github.com/kubectl-canary/kubectl-canary"

var (
	safeName  = regexp.MustCompile(`^[\w-]+$`)
	device    = regexp.MustCompile(`(?i)^(con|prn|aux|nul|com[1-9]|lpt[1-9])$`) // Windows has no files of these names
	kebabCase = regexp.MustCompile(`^[a-z][a-z0-9]*(-[a-z0-9]+)*$`)
	shortName = regexp.MustCompile(`\b(cj|cm|crd|cs|deploy|ds|ep|ev|hpa|ing|limits|netpol|no|ns|pdb|po|pv|pvc|quota|rc|rs|sa|sc|sts|svc)\b`)
	usage     = regexp.MustCompile("(?im)kubectl |`|^ *[$#] |(^|\\s)--?[a-z]|^ *(usage|examples?|options|flags|commands):")
)

var rules = slices.Concat(words, platforms)

// words are the rules of what is said of the plugin.
var words = []rule{
	{"apiVersion and kind", func(m manifest) error {
		return must(m.APIVersion == "krew.googlecontainertools.github.com/v1alpha2" && m.Kind == "Plugin", m.APIVersion, m.Kind)
	}, slices.Concat(spoils(func(m *manifest) *string { return &m.APIVersion }, "", "krew.googlecontainertools.github.com/v1"),
		spoils(func(m *manifest) *string { return &m.Kind }, "", "plugin"))},

	{"name is a safe file name", func(m manifest) error {
		return must(safeName.MatchString(m.Metadata.Name) && !device.MatchString(m.Metadata.Name), m.Metadata.Name)
	}, names("", "a/b", "a.b", "con", "COM1")},

	{"name is lowercase with hyphens", func(m manifest) error {
		return must(kebabCase.MatchString(m.Metadata.Name), m.Metadata.Name)
	}, names("Canary", "canaryDeployment", "canary_deployment", "canary-")},

	{"name does not repeat kube", func(m manifest) error {
		return must(!strings.HasPrefix(m.Metadata.Name, "kube"), m.Metadata.Name)
	}, names("kube-canary", "kubernetes-canary", "kubectl-canary")},

	{"name has no resource's short name", func(m manifest) error {
		return must(!shortName.MatchString(m.Metadata.Name), m.Metadata.Name)
	}, names("deploy", "canary-svc", "new-ing-canary")},

	{"version is semantic and begins with v", func(m manifest) error {
		_, err := version.ParseSemantic(m.Spec.Version)
		return errors.Join(err, must(strings.HasPrefix(m.Spec.Version, "v"), m.Spec.Version))
	}, spoils(func(m *manifest) *string { return &m.Spec.Version }, "", "1.2.3", "v1.2", "v01.2.3", "v1.2.3-")},

	{"short description is a line of at most 50 characters", func(m manifest) error {
		s := m.Spec.ShortDescription
		return must(s != "" && len(s) <= 50 && !strings.ContainsAny(s, "\r\n"), s)
	}, spoils(func(m *manifest) *string { return &m.Spec.ShortDescription }, "", "Canary\nreleases", strings.Repeat("x", 51))},

	{"description is wrapped at 80 characters", func(m manifest) error {
		long := slices.ContainsFunc(strings.Split(m.Spec.Description, "\n"), func(line string) bool { return len(line) > 80 })
		return must(m.Spec.Description != "" && !long, m.Spec.Description)
	}, descriptions("", "Runs\n"+strings.Repeat("x", 81))},

	{"description has no commands, options or examples", func(m manifest) error {
		return must(!usage.MatchString(m.Spec.Description), usage.FindString(m.Spec.Description))
	}, descriptions("Run kubectl canary.", "Say --to 50.", "Use -n.", "Run `this`.", "So:\n  $ this", "Usage:\n x")},

	{"homepage is the repository, whose name begins with kubectl-", func(m manifest) error {
		return must(m.Spec.Homepage == homepage && strings.Contains(homepage, "/kubectl-"), m.Spec.Homepage)
	}, spoils(func(m *manifest) *string { return &m.Spec.Homepage }, "", "https://example.com")},
}

func must(ok bool, found ...any) error {
	if ok {
		return nil
	}
	return fmt.Errorf("found %q", found)
}

// spoils puts each of the values into a field.
func spoils(field func(*manifest) *string, values ...string) []func(*manifest) {
	var all []func(*manifest)
	for _, value := range values {
		all = append(all, func(m *manifest) { *field(m) = value })
	}
	return all
}

func names(values ...string) []func(*manifest) {
	return spoils(func(m *manifest) *string { return &m.Metadata.Name }, values...)
}

func descriptions(values ...string) []func(*manifest) {
	return spoils(func(m *manifest) *string { return &m.Spec.Description }, values...)
}
