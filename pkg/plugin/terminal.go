package plugin

import (
	"io"
	"os"
	"runtime"
	"strings"
	"time"

	"golang.org/x/term"
	"k8s.io/cli-runtime/pkg/printers"

	"github.com/kubectl-canary/kubectl-canary/internal/canary"
	"github.com/kubectl-canary/kubectl-canary/internal/cluster"
	"github.com/kubectl-canary/kubectl-canary/internal/printer"
)

// style is how text may look on a stream.
func style(w io.Writer) printer.Style {
	return printer.Style{Color: printers.AllowsColorOutput(w), Unicode: unicodeLocale()}
}

// unicodeLocale follows the locale, as terminals do; Windows has none, and only its newer terminal shows blocks.
func unicodeLocale() bool {
	if runtime.GOOS == "windows" {
		return os.Getenv("WT_SESSION") != ""
	}
	for _, name := range []string{"LC_ALL", "LC_CTYPE", "LANG"} {
		if v := os.Getenv(name); v != "" {
			v = strings.ToUpper(v)
			return strings.Contains(v, "UTF-8") || strings.Contains(v, "UTF8")
		}
	}
	return false
}

// block is a place on a terminal to draw in; nil where the stream is none, or cannot move its cursor.
func block(w io.Writer) *printer.Block {
	f, ok := w.(*os.File)
	if !ok || !term.IsTerminal(int(f.Fd())) || os.Getenv("TERM") == "dumb" {
		return nil
	}
	return &printer.Block{Out: w, Size: func() (int, int) {
		width, height, err := term.GetSize(int(f.Fd()))
		if err != nil {
			return 0, 0
		}
		return width, height
	}}
}

// showProgress shows what is told of releases, until stop.
func showProgress(w io.Writer, client *cluster.Client, releases []canary.Release) (notify func(canary.Event), stop func()) {
	p := &printer.Progress{Out: w, Style: style(w), Block: block(w)}
	p.Begin(releases, time.Now())
	return p.Handle, ticking(p, client)
}

// ticking lets time pass on a screen, until stop.
func ticking(p *printer.Progress, client *cluster.Client) (stop func()) {
	done, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		tick := time.NewTicker(time.Second)
		defer tick.Stop()
		for {
			select {
			case <-done:
				return
			case now := <-tick.C:
				p.Tick(now, client.Silence())
			}
		}
	}()
	return func() { close(done); <-ended }
}
