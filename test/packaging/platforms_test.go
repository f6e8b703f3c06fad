package packaging

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

var sum256 = regexp.MustCompile(`^[a-f0-9]{64}$`)

// platforms are the rules of where the plugin runs, and of its archives.
var platforms = []rule{
	{"a platform at least", func(m manifest) error {
		return must(len(m.Spec.Platforms) > 0)
	}, []func(*manifest){func(m *manifest) { m.Spec.Platforms = nil }}},

	{"archives are those of the release of the version", each(func(m manifest, p platform) error {
		release := homepage + "/releases/download/" + m.Spec.Version + "/kubectl-" + m.Metadata.Name + "_" + m.Spec.Version + "_"
		return must(strings.HasPrefix(p.URI, release), p.URI)
	}), spoilsOne(func(p *platform) *string { return &p.URI }, "", "https://example.com/kubectl-canary_v1.2.3_linux_amd64.tar.gz")},

	{"archives are .tar.gz, or .zip for Windows", each(func(_ manifest, p platform) error {
		system := p.Selector.MatchLabels["os"] + "_" + p.Selector.MatchLabels["arch"]
		ending := system + ".tar.gz"
		if p.windows() {
			ending = system + ".zip"
		}
		return must(strings.HasSuffix(p.URI, ending), p.URI)
	}), spoilsOne(func(p *platform) *string { return &p.URI }, "a_linux_amd64.tgz", "a_linux_amd64.zip", "a_linux_arm64.tar.gz", "a_linux_amd64")},

	{"sha256 has 64 hexadecimal digits in lower case", each(func(_ manifest, p platform) error {
		return must(sum256.MatchString(p.Sha256), p.Sha256)
	}), spoilsOne(func(p *platform) *string { return &p.Sha256 }, "", strings.Repeat("A", 64), strings.Repeat("a", 63))},

	{"no two platforms have one archive or one sum", func(m manifest) error {
		seen := map[string]bool{}
		for _, p := range m.Spec.Platforms {
			if seen[p.URI] || seen[p.Sha256] {
				return must(false, p.URI)
			}
			seen[p.URI], seen[p.Sha256] = true, true
		}
		return nil
	}, []func(*manifest){
		func(m *manifest) { m.Spec.Platforms[0].URI = m.Spec.Platforms[1].URI },
		func(m *manifest) { m.Spec.Platforms[0].Sha256 = m.Spec.Platforms[1].Sha256 },
	}},

	{"selectors are of os and arch only, and not empty", each(func(_ manifest, p platform) error {
		s := p.Selector
		if s == nil || len(s.MatchLabels)+len(s.MatchExpressions) == 0 {
			return errors.New("no selector")
		}
		// krew refuses the key without a value, too
		if s.MatchLabels != nil && len(s.MatchLabels) == 0 || s.MatchExpressions != nil && len(s.MatchExpressions) == 0 {
			return errors.New("an empty part of a selector")
		}
		for key := range s.MatchLabels {
			if key != "os" && key != "arch" {
				return must(false, key)
			}
		}
		for _, e := range s.MatchExpressions {
			if e.Key != "os" && e.Key != "arch" {
				return must(false, e.Key)
			}
		}
		return nil
	}), selectors(nil, &metav1.LabelSelector{},
		&metav1.LabelSelector{MatchLabels: map[string]string{"os": "linux", "libc": "musl"}},
		&metav1.LabelSelector{MatchLabels: map[string]string{"os": "linux"}, MatchExpressions: []metav1.LabelSelectorRequirement{}},
		&metav1.LabelSelector{MatchExpressions: []metav1.LabelSelectorRequirement{{Key: "libc", Operator: "Exists"}}})},

	{"each platform is one of krew's", each(func(_ manifest, p platform) error {
		found, err := p.selects()
		return errors.Join(err, must(len(found) > 0, p.Selector))
	}), selectors(labelled("linux", "s390x"), labelled("plan9", "amd64"))},

	{"no two platforms are for the same", func(m manifest) error {
		all, err := selected(m)
		return errors.Join(err, must(len(slices.Compact(slices.Sorted(slices.Values(all)))) == len(all), all))
	}, selectors(labelled("darwin", "arm64"), &metav1.LabelSelector{MatchLabels: map[string]string{"arch": "arm64"}})},

	{"linux, darwin and windows, on amd64 and arm64", func(m manifest) error {
		all, err := selected(m)
		slices.Sort(all)
		want := "darwin/amd64 darwin/arm64 linux/amd64 linux/arm64 windows/amd64 windows/arm64"
		return errors.Join(err, must(strings.Join(all, " ") == want, all))
	}, append(selectors(labelled("linux", "386")), func(m *manifest) { m.Spec.Platforms = m.Spec.Platforms[1:] })},

	{"bin is the file kubectl-NAME, .exe on Windows", each(func(m manifest, p platform) error {
		want := "kubectl-" + m.Metadata.Name
		if p.windows() {
			want += ".exe"
		}
		return must(p.Bin == want, p.Bin)
	}), append(spoilsOne(func(p *platform) *string { return &p.Bin }, "", "canary", "kubectl-canary.exe"),
		func(m *manifest) { m.Spec.Platforms[4].Bin = "kubectl-canary" })},

	{"files are not listed: all are taken, LICENSE too", each(func(_ manifest, p platform) error {
		return must(p.Files == nil, p.Files)
	}), []func(*manifest){
		func(m *manifest) { m.Spec.Platforms[0].Files = []files{} },
		func(m *manifest) { m.Spec.Platforms[0].Files = []files{{From: "kubectl-canary", To: "."}} },
	}},
}

func (p platform) windows() bool {
	found, err := p.selects()
	return err == nil && slices.ContainsFunc(found, func(system string) bool { return strings.HasPrefix(system, "windows/") })
}

// selected are the systems that platforms are for, as often as there are such.
func selected(m manifest) (all []string, err error) {
	for _, p := range m.Spec.Platforms {
		found, err := p.selects()
		if err != nil {
			return nil, err
		}
		all = append(all, found...)
	}
	return all, nil
}

func each(check func(manifest, platform) error) func(manifest) error {
	return func(m manifest) error {
		for i, p := range m.Spec.Platforms {
			if err := check(m, p); err != nil {
				return fmt.Errorf("platform %d: %w", i, err)
			}
		}
		return nil
	}
}

// spoilsOne puts each of the values into a field of the first platform, linux/amd64.
func spoilsOne(field func(*platform) *string, values ...string) []func(*manifest) {
	return spoils(func(m *manifest) *string { return field(&m.Spec.Platforms[0]) }, values...)
}

func selectors(values ...*metav1.LabelSelector) []func(*manifest) {
	var all []func(*manifest)
	for _, value := range values {
		all = append(all, func(m *manifest) { m.Spec.Platforms[0].Selector = value })
	}
	return all
}

func labelled(goos, goarch string) *metav1.LabelSelector {
	return &metav1.LabelSelector{MatchLabels: map[string]string{"os": goos, "arch": goarch}}
}
