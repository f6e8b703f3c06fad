// Package printer turns releases, plans and events into text for people and JSON for programs.
package printer

import (
	"strings"
	"unicode"
)

// Style is how text may look where it goes.
type Style struct {
	Color   bool // escape sequences are welcome
	Unicode bool // block and arrow characters can be shown
}

// Safe makes a string from the cluster safe for a terminal: control characters, which could hide or forge output, and
// characters that turn the direction of text are replaced; line ends become spaces.
func Safe(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n' || r == '\t' || r == '\r':
			return ' '
		case hidden(r) || r == unicode.ReplacementChar:
			return '?'
		case unicode.Is(unicode.Zl, r) || unicode.Is(unicode.Zp, r):
			return ' '
		}
		return r
	}, s)
}

// hidden says that a character has no place of its own on a screen: a control or format character.
func hidden(r rune) bool { return unicode.IsControl(r) || unicode.Is(unicode.Cf, r) }

// maxMessage is how much of a message from the cluster is shown to people, in characters.
const maxMessage = 400

// short is Safe, and cut where it is too long to read.
func short(s string) string {
	r := []rune(Safe(s))
	if len(r) <= maxMessage {
		return string(r)
	}
	return string(r[:maxMessage]) + "..."
}

// Arrow points from what was to what is.
func (s Style) Arrow() string {
	if s.Unicode {
		return "→"
	}
	return "->"
}

// Colors of the phases and problems. Colour is never the only signal.
const (
	red    = "31"
	green  = "32"
	yellow = "33"
	cyan   = "36"
)

func (s Style) paint(color, text string) string {
	if !s.Color || color == "" {
		return text
	}
	return "\x1b[" + color + "m" + text + "\x1b[0m"
}

// barCells is the width of a bar in characters.
const barCells = 10

// bar draws a weight, in hundredths of a percent.
func (s Style) bar(weight int) string {
	if !s.Unicode {
		full := (weight*barCells + 5000) / 10000
		return strings.Repeat("#", full) + strings.Repeat(".", barCells-full)
	}
	halves := (weight*barCells*2 + 5000) / 10000
	b := strings.Repeat("█", halves/2)
	if halves%2 == 1 {
		b += "▌"
	}
	return b + strings.Repeat("░", barCells-(halves+1)/2)
}
