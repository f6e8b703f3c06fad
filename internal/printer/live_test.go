package printer

import (
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"
)

var sequence = regexp.MustCompile("\x1b\\[([0-9]*)([A-Z])")

// screen is what a terminal shows after the output, for the few sequences that Block writes.
func screen(output string) string {
	var lines []string
	row, column := 0, 0
	for output != "" {
		for len(lines) <= row {
			lines = append(lines, "")
		}
		if at := sequence.FindStringSubmatchIndex(output); at != nil && at[0] == 0 {
			n, _ := strconv.Atoi(output[at[2]:at[3]])
			switch output[at[4]:at[5]] {
			case "A":
				row -= n
			case "K":
				lines[row] = string([]rune(lines[row])[:column])
			case "J":
				lines = append(lines[:row], string([]rune(lines[row])[:column]))
			}
			output = output[at[1]:]
			continue
		}
		r, size := utf8.DecodeRuneInString(output)
		output = output[size:]
		switch r {
		case '\n':
			row, column = row+1, 0
		case '\r':
			column = 0
		default:
			old := []rune(lines[row])
			lines[row] = string(old[:column]) + string(r) + string(old[min(len(old), column+1):])
			column++
		}
	}
	return strings.Join(lines, "\n")
}

func draw(t *testing.T, width, height int, drawings ...[]string) (output string) {
	t.Helper()
	var out strings.Builder
	b := &Block{Out: &out, Size: func() (int, int) { return width, height }}
	for _, lines := range drawings {
		if err := b.Draw(lines); err != nil {
			t.Fatal(err)
		}
	}
	return out.String()
}

// A drawing takes the place of the one before it, whether it has more lines, fewer, shorter or longer ones.
func TestDrawReplaces(t *testing.T) {
	first := []string{"one", "two, which is longer", "three"}
	for _, next := range [][]string{{"1", "2", "3"}, {"only one"}, {"a", "b", "c", "d", "e"}, {}, first} {
		got := screen(draw(t, 80, 24, first, next))
		if want := strings.Join(append(next[:len(next):len(next)], ""), "\n"); got != want {
			t.Errorf("after %q the screen shows\n%q, want\n%q", next, got, want)
		}
	}
}

// A line that wrapped would make the block higher than it knows.
func TestDrawCutsToTheWidth(t *testing.T) {
	for _, c := range []struct{ line, want string }{
		{"123456789", "123456789"},
		{"1234567890ab", "1234567890"},
		{"→→→→→→→→→→ab", "→→→→→→→→→→"},
		{"\x1b[31m1234567890ab\x1b[0mcd", "\x1b[31m1234567890\x1b[0m"},
		{"12345\x1b[31m67890ab\x1b[0m", "12345\x1b[31m67890\x1b[0m"},
	} {
		if got := cut(c.line, 10); got != c.want {
			t.Errorf("cut(%q) = %q, want %q", c.line, got, c.want)
		}
	}
	if got := cut(strings.Repeat("x", 500), 0); len(got) != 500 {
		t.Error("cut though the width is not known")
	}
	if got := draw(t, 10, 24, []string{strings.Repeat("x", 500)}); strings.Contains(got, strings.Repeat("x", 11)) {
		t.Errorf("drawn wider than the terminal: %q", got)
	}
}

// What has scrolled off the top could not be drawn over.
func TestDrawStaysBelowTheHeight(t *testing.T) {
	var many []string
	for i := range 100 {
		many = append(many, fmt.Sprint("line ", i))
	}
	output := draw(t, 80, 10, many, many)
	shown := strings.Split(screen(output), "\n")
	if len(shown) != 10 || shown[0] != "line 0" || shown[7] != "line 7" || shown[8] != "... and 92 lines more" || shown[9] != "" {
		t.Errorf("the screen shows %q", shown)
	}
	if !strings.Contains(output, "\x1b[9A") {
		t.Errorf("the cursor does not go up by what was drawn: %q", output)
	}
	if got := screen(draw(t, 80, 0, many)); strings.Count(got, "\n") != 100 {
		t.Error("cut though the height is not known")
	}
}

type brokenWriter struct{}

func (brokenWriter) Write([]byte) (int, error) { return 0, errors.New("gone") }

func TestDrawReportsAnError(t *testing.T) {
	b := &Block{Out: brokenWriter{}, Size: func() (int, int) { return 80, 24 }}
	if err := b.Draw([]string{"x"}); err == nil {
		t.Error("no error")
	}
}
