package check

import (
	"slices"
)

// The commands that ask checks and write nothing.
const (
	AskedByVerify    = "verify"
	AskedByPreflight = "preflight"
)

// The commands that a check can stand before.
const (
	BeforeInstall = "install-primary"
	BeforeExpose  = "expose-istiod"
	BeforeAttach  = "attach-remote"
)

// asker is what a judgement depends on of the command that asks it.
type asker struct {
	// finished is true where a mesh is judged as it is, and false before something is made of it.
	finished bool
	// overrides are the flags with which the command does its work although a check fails.
	overrides []string
	// exchanged is the subcommand to run where the clusters were given the wrong way round.
	exchanged string
}

func askerOf(subcommand string) asker {
	switch subcommand {
	case AskedByVerify:
		return asker{finished: true, exchanged: BeforeAttach}
	case AskedByPreflight:
		return asker{exchanged: AskedByPreflight}
	case BeforeInstall:
		return asker{exchanged: BeforeAttach, overrides: []string{"--convert-remote"}}
	case BeforeAttach:
		return asker{exchanged: BeforeAttach, overrides: []string{"--allow-unconnected-network"}}
	}
	return asker{exchanged: BeforeAttach}
}

// canOverride is true for a flag with which the command does its work although a check fails.
func (a asker) canOverride(flag string) bool { return slices.Contains(a.overrides, flag) }

// For are the checks that a command asks: verify, preflight, or one that writes.
func For(subcommand string) []Check {
	return slices.DeleteFunc(All(), func(c Check) bool {
		switch subcommand {
		case AskedByVerify:
			return !c.Verify
		case AskedByPreflight:
			return !c.Preflight
		}
		return !slices.Contains(c.Before, subcommand)
	})
}
