package test

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"
)

// step is a command of a block and what the document shows it to print.
type step struct {
	before  []string // comments and empty lines
	command []string // its lines, without the prompt
	shows   []string
}

// steps takes a block apart. Lines that begin with # are remarks, as the demo prints them.
func steps(lines []string) (all []step, err error) {
	var before []string
	for i := 0; i < len(lines); i++ {
		line := lines[i]
		command, isCommand := strings.CutPrefix(line, "$ ")
		switch {
		case isCommand:
			s := step{before: before, command: []string{command}}
			for strings.HasSuffix(lines[i], `\`) && i+1 < len(lines) {
				i++
				s.command = append(s.command, lines[i])
			}
			all, before = append(all, s), nil
		case line == "" || strings.HasPrefix(line, "# "):
			before = append(before, line)
		case len(all) == 0:
			return nil, fmt.Errorf("output before any command: %s", line)
		default:
			last := &all[len(all)-1]
			last.shows, before = append(append(last.shows, before...), line), nil
		}
	}
	return all, nil
}

// block DOCUMENT BLOCK: runs the commands one by one in one shell, and compares what they print.
func (all documents) cmdBlock(ts *testscript.TestScript, _ bool, args []string) {
	d, b := 0, 0
	if _, err := fmt.Sscan(strings.Join(args, " "), &d, &b); err != nil {
		ts.Fatalf("usage: block DOCUMENT BLOCK")
	}
	document, block := all[d], all[d].blocks[b]
	steps, err := steps(document.lines[block.first:block.end])
	ts.Check(err)
	manifests, err := filepath.Abs(filepath.Join(root, "manifests"))
	ts.Check(err)
	if err := os.Symlink(manifests, ts.MkAbs("manifests")); !os.IsExist(err) {
		ts.Check(err)
	}
	var shell, shown strings.Builder
	for i, s := range steps {
		command := strings.ReplaceAll(strings.Join(s.command, "\n"), "-n messenger", "-n "+of(ts).namespace)
		fmt.Fprintf(&shell, "{ %s\n} >%d.out 2>%d.err; code=$?; echo $code >%d.code; (exit $code)\n", command, i, i, i)
	}
	p := launch(ts, of(ts).command(ts, []string{"bash", "-c", shell.String()}))
	_, err = p.Code()
	fmt.Fprint(ts.Stderr(), p.Stderr.String())
	ts.Check(err)
	failed := false
	for i, s := range steps {
		printed := func(what string) string {
			return strings.ReplaceAll(ts.ReadFile(strconv.Itoa(i)+what), of(ts).namespace, "messenger")
		}
		out, errOut := printed(".out"), printed(".err")
		err, code := compare(s.shows, split(out), split(errOut)), strings.TrimSpace(printed(".code"))
		if err == nil && code != "0" && (i+1 == len(steps) || !strings.Contains(steps[i+1].command[0], "$?")) {
			err = fmt.Errorf("it exits with %s, and the document does not show it", code)
		}
		if err != nil {
			failed = true
			ts.Logf("%s:%d: $ %s\n%v\nstdout:\n%sstderr:\n%s", document.file, block.first, strings.Join(s.command, "\n"), err, out, errOut)
		}
		shown.WriteString(join(s.before) + "$ " + join(s.command))
		switch {
		case err == nil:
			out = join(s.shows)
		case code != "0":
			out += errOut
		}
		shown.WriteString(out)
	}
	switch {
	case failed && *update:
		block.lines = split(shown.String())
	case failed:
		ts.Fatalf("%s is out of step: correct it, or run the test with -update", document.file)
	}
}

func split(text string) []string {
	if text == "" {
		return nil
	}
	return strings.Split(strings.TrimSuffix(text, "\n"), "\n")
}

func join(lines []string) (text string) {
	for _, line := range lines {
		text += line + "\n"
	}
	return text
}

// What differs from run to run.
var passing = []struct {
	pattern *regexp.Regexp
	name    string
}{
	{regexp.MustCompile(`-[bcdf-hj-np-tv-z2-9]{6,10}-[bcdf-hj-np-tv-z2-9]{5}\b`), "-POD"},
	{regexp.MustCompile(`\b20\d\d-\d\d-\d\dT[\d:.]+Z`), "TIME"},
	{regexp.MustCompile(`\b(\d+(ms|[smhd]))+\b`), "AGE"},
	{regexp.MustCompile(`\b\d+ restarts?\b`), "RESTARTS"},
	{regexp.MustCompile(`(\S)  +`), "$1  "}, // columns are as wide as what is in them
}

func lasting(line string) string {
	for _, p := range passing {
		line = p.pattern.ReplaceAllString(line, p.name)
	}
	return line
}

// compare says what a document shows that was not printed, or leaves out. It has to show all of stdout, but for what it
// leaves out with a line of three dots, and as much as it likes of stderr, which is where progress goes.
func compare(shows, out, errOut []string) error {
	skip := false
	for _, line := range shows {
		if line == "..." {
			skip = true
			continue
		}
		same := func(printed string) bool { return lasting(printed) == lasting(line) }
		at := slices.IndexFunc(out, same)
		if at == 0 || at > 0 && skip {
			out, skip = out[at+1:], false
			continue
		}
		at = slices.IndexFunc(errOut, same)
		if at < 0 {
			return fmt.Errorf("not printed: %s", line)
		}
		errOut = errOut[at+1:]
	}
	if len(out) > 0 && !skip {
		return fmt.Errorf("printed, and not shown: %s", out[0])
	}
	return nil
}
