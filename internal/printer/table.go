package printer

import (
	"strings"
	"unicode/utf8"
)

// cell is a piece of a row; its colour does not count for its width.
type cell struct {
	text  string
	color string
}

// table lays rows out in columns, three spaces apart as kubectl does.
type table struct {
	style Style
	rows  [][]cell
}

func (t *table) add(cells ...cell) { t.rows = append(t.rows, cells) }

func (t *table) header(names ...string) {
	row := make([]cell, len(names))
	for i, n := range names {
		row[i].text = n
	}
	t.rows = append(t.rows, row)
}

// lines lays the rows out.
func (t *table) lines() []string {
	var widths []int
	for _, row := range t.rows {
		for i, c := range row {
			if i == len(widths) {
				widths = append(widths, 0)
			}
			widths[i] = max(widths[i], utf8.RuneCountInString(c.text))
		}
	}
	lines := make([]string, len(t.rows))
	for n, row := range t.rows {
		var b strings.Builder
		for i, c := range row {
			b.WriteString(t.style.paint(c.color, c.text))
			if i < len(row)-1 {
				b.WriteString(strings.Repeat(" ", widths[i]+3-utf8.RuneCountInString(c.text)))
			}
		}
		lines[n] = b.String()
	}
	return lines
}
