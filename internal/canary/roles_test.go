package canary

import "testing"

func TestRoles(t *testing.T) {
	versions := func(replicas ...int) *Snapshot {
		objects := []any{service("auth", "app=auth")}
		for i, n := range replicas {
			v := string(rune('1' + i))
			objects = append(objects, deployment("auth-"+v, n, "app=auth,version=v"+v))
		}
		return namespace(objects...)
	}
	promoted := recorded(3, Full, Split{0, 3})
	split := recorded(3, 2500, Split{3, 1})
	moving := recorded(3, Full, Split{3, 0})
	moving.Move = &Move{Command: "promote"}
	interrupted := recorded(4, Full, Split{2, 2}) // asked for everything, and ended between
	backwards := Record{Stable: "v2", Canary: "v1", Baseline: 3, Desired: 2500, Set: Split{3, 1}}
	knowing := promoted
	knowing.Others = []string{"v3"}

	for _, tc := range []struct {
		name       string
		ns         *Snapshot
		record     *Record
		options    Options
		want       string
		fromRecord bool
	}{
		{"by order", versions(3, 1), nil, Options{}, "v1/v2", false},
		{"the highest that serves is stable", versions(3, 0, 1), nil, Options{}, "v1/v3 +v2", false},
		{"none serves: the highest of the rest", versions(0, 0, 0), nil, Options{}, "v2/v3 +v1", false},
		{"a canary without replicas is one", versions(3, 0), nil, Options{}, "v1/v2", false},
		{"a third version with replicas is one of the others", versions(1, 3, 1), nil, Options{}, "v2/v3 +v1", false},

		{"recorded roles win over order", versions(1, 3), &backwards, Options{}, "v2/v1", true},
		{"recorded roles at rest", versions(0, 3), &promoted, Options{}, "v1/v2", true},
		{"a new version at rest starts afresh", versions(0, 3, 1), &promoted, Options{}, "v2/v3 +v1", false},
		{"a third version that was there before is not new", versions(0, 3, 1), &knowing, Options{}, "v1/v2 +v3", true},
		{"a new version between rests changes nothing", versions(3, 1, 1), &split, Options{}, "v1/v2 +v3", true},
		{"nor one during a move", versions(3, 0, 1), &moving, Options{}, "v1/v2 +v3", true},
		{"nor one after a move that ended between", versions(2, 2, 1), &interrupted, Options{}, "v1/v2 +v3", true},
		{
			"a recorded version that is gone",
			namespace(service("auth", "app=auth"), deployment("b", 3, "app=auth,version=v2"), deployment("c", 1, "app=auth,version=v3")),
			&split, Options{}, "v2/v3", false,
		},

		{"named", versions(3, 1, 1), nil, Options{Stable: "v3", Canary: "v1"}, "v3/v1 +v2", false},
		{"only the canary named", versions(3, 1, 1), nil, Options{Canary: "v1"}, "v3/v1 +v2", false},
		{"only the stable named, and it is the highest", versions(3, 1, 0), nil, Options{Stable: "v3"}, "v3/v2 +v1", false},
		{"named as recorded", versions(1, 3), &backwards, Options{Stable: "v2", Canary: "v1"}, "v2/v1", true},
		{"one named as recorded, the other recorded", versions(1, 3), &backwards, Options{Canary: "v1"}, "v2/v1", true},
		{"named against the record", versions(1, 3), &backwards, Options{Stable: "v1"}, "v1/v2", false},
		{"the recorded stable named as the canary", versions(3, 1), &split, Options{Canary: "v1"}, "v2/v1", false},
		{"the recorded canary named as the stable", versions(3, 1), &split, Options{Stable: "v2"}, "v2/v1", false},
		{"the canary named against the record, the stable recorded", versions(3, 1, 2, 0), &split, Options{Canary: "v4"}, "v1/v4 +v2+v3", false},
		{"unknown", versions(3, 1), nil, Options{Stable: "v0"}, " +v1+v2", false},
		{"one for both", versions(3, 1), nil, Options{Stable: "v1", Canary: "v1"}, " +v1+v2", false},

		{"pinned for a move", versions(1, 3, 1), &split, Options{Roles: map[string]Roles{"auth": {"v3", "v2"}}}, "v3/v2 +v1", false},
		{"pinned as recorded", versions(1, 3), &backwards, Options{Roles: map[string]Roles{"auth": {"v2", "v1"}}}, "v2/v1", true},
		{"pinned roles are of a release, not of all", versions(3, 1), nil, Options{Roles: map[string]Roles{"chat": {"v2", "v1"}}}, "v1/v2", false},
		{"pinned to a version that is gone", versions(3, 1), nil, Options{Roles: map[string]Roles{"auth": {"v1", "v9"}}}, " +v1+v2", false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if tc.record != nil {
				tc.ns.record("auth", *tc.record)
			}
			r := one(tc.ns, tc.options)
			got := ""
			if r.Stable != nil {
				got = r.Stable.Name + "/" + r.Canary.Name
			}
			for i, o := range r.Others {
				if i == 0 {
					got += " "
				}
				got += "+" + o.Name
			}
			if got != tc.want || (r.Record != nil) != tc.fromRecord {
				t.Errorf("got %s, recorded %v; want %s, recorded %v", got, r.Record != nil, tc.want, tc.fromRecord)
			}
			if refused := len(Preflight(r, tc.ns, true)) > 0; refused != (r.Stable == nil) {
				t.Errorf("refused is %v, because %v", refused, r.Problems)
			}
		})
	}
}

// track: decides only where it tells exactly one stable and one canary.
func TestTrackRoles(t *testing.T) {
	for name, tc := range map[string]struct {
		tracks [3]string
		want   string
	}{
		"both, and a third without": {[3]string{"canary", "stable", "none"}, "v2/v1"},
		"two canaries":              {[3]string{"stable", "canary", "canary"}, "v2/v3"},
		"no stable":                 {[3]string{"canary", "x", "y"}, "v2/v3"},
	} {
		t.Run(name, func(t *testing.T) {
			r := one(namespace(service("auth", "app=auth"),
				deployment("a", 1, "app=auth,version=v1,track="+tc.tracks[0]),
				deployment("b", 1, "app=auth,version=v2,track="+tc.tracks[1]),
				deployment("c", 1, "app=auth,version=v3,track="+tc.tracks[2])), Options{})
			if got := r.Stable.Name + "/" + r.Canary.Name; got != tc.want {
				t.Errorf("got %s, want %s", got, tc.want)
			}
		})
	}
}
