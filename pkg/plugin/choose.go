package plugin

import (
	"errors"
	"fmt"
	"slices"

	"github.com/spf13/pflag"
	"k8s.io/apimachinery/pkg/labels"

	"github.com/kubectl-canary/kubectl-canary/internal/canary"
)

// chooser is which releases a command is about, and how they are formed.
type chooser struct {
	names    []string
	selector string
	services labels.Selector
	options  canary.Options
}

func (c *chooser) addFlags(flags *pflag.FlagSet) {
	c.addSelector(flags)
	flags.StringVar(&c.options.VersionLabel, "version-label", "", "The label that tells versions apart; found if left out")
	flags.StringVar(&c.options.Stable, "stable", "", "The version that is stable; found if left out")
	flags.StringVar(&c.options.Canary, "canary", "", "The version that is the canary; found if left out")
}

func (c *chooser) addSelector(flags *pflag.FlagSet) {
	flags.StringVarP(&c.selector, "selector", "l", "", "Choose releases by the labels of their Services")
}

func (c *chooser) complete(names []string) (err error) {
	if c.selector != "" && len(names) > 0 {
		return errors.New("a NAME cannot be given with a selector")
	}
	if c.options.Stable != "" && c.options.Stable == c.options.Canary {
		return fmt.Errorf("--stable and --canary are both %q: they must be two versions", c.options.Stable)
	}
	if slices.Contains(names, "") {
		return errors.New("a NAME is empty")
	}
	c.names = names
	if c.services, err = labels.Parse(c.selector); err != nil {
		return fmt.Errorf("--selector %q: %w", c.selector, err)
	}
	return nil
}

// named says whether the user has said which releases.
func (c *chooser) named() bool { return len(c.names) > 0 || c.selector != "" }

// find returns the chosen releases of a namespace.
func (c *chooser) find(s *canary.Snapshot, all bool) ([]canary.Release, error) {
	o := c.options
	o.All = all
	found, err := canary.Find(s, o, c.names)
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(found, func(r canary.Release) bool {
		return !slices.ContainsFunc(r.Services, func(s canary.Service) bool { return c.services.Matches(labels.Set(s.Labels)) })
	}), nil
}
