package test

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestDoctor finds in each variant what it expects beyond what the plain release has, runs the mend as it is printed, and
// finds it no more. What is an error refuses a shift too, in the same words.
func TestDoctor(t *testing.T) {
	files, err := filepath.Glob("testdata/doctor/*.yaml")
	if err != nil || len(files) < 25 {
		t.Fatalf("%d variants, %v", len(files), err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".yaml"), func(t *testing.T) {
			t.Parallel()
			p := newPatient(t, file)
			p.deploy()
			baseline := map[string]bool{}
			if p.as() != admin {
				baseline["NotExamined"] = true // nodes are nobody else's to see
			}
			found := p.findings(p.Severity == "error")
			var codes []string
			for _, f := range found {
				if !baseline[f.Code] && !slices.Contains(codes, f.Code) {
					codes = append(codes, f.Code)
				}
			}
			if diff := cmp.Diff([]string{p.Code}, codes); diff != "" {
				t.Fatalf("codes (-want +got):\n%s%+v", diff, found)
			}
			i := slices.IndexFunc(found, func(f finding) bool { return f.Code == p.Code })
			if object := generic([]string{found[i].Object}, p.namespace)[0]; found[i].Severity != p.Severity || object != p.Object {
				t.Errorf("found %s of %s, want %s of %s", found[i].Severity, found[i].Object, p.Severity, p.Object)
			}
			if *update {
				p.check(rewrite(file, generic(found[i].Mend, p.namespace)))
			} else if diff := cmp.Diff(p.Mend, generic(found[i].Mend, p.namespace)); diff != "" {
				t.Errorf("mend (-want +got):\n%s", diff)
			}
			if p.Refused != "" {
				p.refuses()
			}
			for _, mend := range found[i].Mend {
				p.shell(admin, mend)
			}
			p.until(func() error {
				for _, f := range p.findings(false) {
					if f.Code == p.Code && f.Severity == p.Severity {
						return fmt.Errorf("after %q: still %+v", found[i].Mend, f)
					}
				}
				return nil
			})
		})
	}
}

// The plain release has nothing that counts, with --strict neither; who may read everything is told of nothing at all.
func TestDoctorFindsMessengerWell(t *testing.T) {
	p := newPatient(t, "")
	p.deploy()
	for _, f := range p.findings(false) {
		if f.Code != "NotExamined" || f.Severity != "info" {
			t.Errorf("%+v", f)
		}
	}
	p.As = admin
	if found := p.findings(false); len(found) > 0 {
		t.Errorf("%+v", found)
	}
	if out := p.shell(admin, "kubectl canary doctor --strict -n "+p.namespace); out != "auth: nothing stands in the way of a shift\n" {
		t.Errorf("%q", out)
	}
}
