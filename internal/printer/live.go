package printer

import (
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
)

// Block is a block of lines on a terminal that is drawn again in place.
type Block struct {
	Out  io.Writer
	Size func() (width, height int) // of the terminal now; zeros where unknown

	drawn int // lines of the last drawing
}

// Draw replaces what was drawn before. What does not fit is cut: a wrapped or scrolled line could not be drawn over.
func (b *Block) Draw(lines []string) error {
	width, height := b.Size()
	if height > 2 && len(lines) > height-1 {
		left := len(lines) - (height - 2)
		lines = append(append([]string{}, lines[:height-2]...), fmt.Sprintf("... and %d lines more", left))
	}
	var s strings.Builder
	if b.drawn > 0 {
		fmt.Fprintf(&s, "\x1b[%dA", b.drawn)
	}
	for _, line := range lines {
		s.WriteString("\r" + cut(line, width) + "\x1b[K\n")
	}
	s.WriteString("\x1b[J")
	b.drawn = len(lines)
	_, err := io.WriteString(b.Out, s.String())
	return err
}

// cut leaves out what goes beyond the width; escape sequences take no room and all stay.
func cut(line string, width int) string {
	if width <= 0 || utf8.RuneCountInString(line) <= width {
		return line
	}
	var s strings.Builder
	column, escape := 0, false
	for _, r := range line {
		switch {
		case r == '\x1b':
			escape = true
		case escape:
			escape = r != 'm'
		default:
			if column++; column > width {
				continue
			}
		}
		s.WriteRune(r)
	}
	return s.String()
}
