package canary

import (
	"cmp"
	"strings"
)

// CompareVersions orders version names the way people count: v2 before v10,
// and 1.0.0-rc.1 before 1.0.0, as semantic versions have it.
func CompareVersions(a, b string) int {
	ra, pa := splitPrerelease(withoutV(a))
	rb, pb := splitPrerelease(withoutV(b))
	if c := compareNatural(ra, rb); c != 0 {
		return c
	}
	switch {
	case pa == pb:
		return cmp.Compare(a, b)
	case pa == "":
		return 1
	case pb == "":
		return -1
	}
	return cmp.Or(compareNatural(pa, pb), cmp.Compare(a, b))
}

// withoutV makes v1.2 and 1.2 comparable.
func withoutV(s string) string {
	if len(s) > 1 && s[0] == 'v' && digitRun(s[1:]) > 0 {
		return s[1:]
	}
	return s
}

// splitPrerelease cuts a semantic version into release and pre-release; build metadata has no rank.
func splitPrerelease(v string) (release, pre string) {
	core, _, _ := strings.Cut(v, "+")
	release, pre, dashed := strings.Cut(core, "-")
	numbers := strings.Split(release, ".")
	if !dashed || len(numbers) != 3 {
		return core, ""
	}
	for _, n := range numbers {
		if !isDigits(n) {
			return core, ""
		}
	}
	return release, pre
}

// compareNatural compares runs of digits as numbers and everything else as text.
func compareNatural(a, b string) int {
	for a != "" && b != "" {
		na, nb := digitRun(a), digitRun(b)
		if na > 0 && nb > 0 {
			x, y := strings.TrimLeft(a[:na], "0"), strings.TrimLeft(b[:nb], "0")
			if c := cmp.Or(cmp.Compare(len(x), len(y)), cmp.Compare(x, y)); c != 0 {
				return c
			}
			a, b = a[na:], b[nb:]
			continue
		}
		if a[0] != b[0] {
			return cmp.Compare(a[0], b[0])
		}
		a, b = a[1:], b[1:]
	}
	return cmp.Compare(len(a), len(b))
}

func digitRun(s string) int {
	n := 0
	for n < len(s) && s[n] >= '0' && s[n] <= '9' {
		n++
	}
	return n
}
