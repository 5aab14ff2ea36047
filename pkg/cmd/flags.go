package cmd

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// positiveDuration is a flag's value that is a time to wait: nothing happens within no time at all.
type positiveDuration time.Duration

// durationVar adds a flag for a time that is more than zero.
func durationVar(f *pflag.FlagSet, p *time.Duration, name string, value time.Duration, usage string) {
	*p = value
	f.Var((*positiveDuration)(p), name, usage)
}

func (d *positiveDuration) String() string { return time.Duration(*d).String() }

func (*positiveDuration) Type() string { return "duration" }

// Set reads a duration such as 5m.
func (d *positiveDuration) Set(text string) error {
	parsed, err := time.ParseDuration(text)
	switch {
	case err != nil:
		return errors.New("it is not a duration such as 30s or 5m")
	case parsed <= 0:
		return errors.New("it is not a time to wait: give more than 0s")
	}
	*d = positiveDuration(parsed)
	return nil
}

// onceValue is a flag's value of which a second one would silently replace the first.
type onceValue struct {
	value *string
	given bool
}

func (o *onceValue) String() string {
	if o.value == nil {
		return ""
	}
	return *o.value
}

func (*onceValue) Type() string { return "string" }

// Set takes the value, the first time.
func (o *onceValue) Set(text string) error {
	if o.given {
		return fmt.Errorf("it is given twice, before as %q", *o.value)
	}
	*o.value, o.given = text, true
	return nil
}

// flagError says what is wrong with a flag, as a matter of usage.
func flagError(c *cobra.Command, err error) error {
	var invalid *pflag.InvalidValueError
	if errors.As(err, &invalid) && invalid.GetFlag().Name == "verbose" {
		return usage("-v takes no level: it is --verbose, and says more about what is waited for")
	}
	return usage("%w\nSee '%s --help'", err, c.CommandPath())
}

// noArguments refuses arguments to a command whose one cluster is that of --context.
func noArguments(c *cobra.Command, args []string) error {
	if len(args) > 0 {
		return fmt.Errorf("%s takes no arguments. The cluster is named with a flag: --context %s", c.CommandPath(), args[0])
	}
	return nil
}

// atLeastOneRemote asks for at least one cluster other than that of --context.
func atLeastOneRemote(c *cobra.Command, args []string) error {
	if len(args) > 0 {
		return nil
	}
	if named, err := c.Flags().GetString("context"); err == nil && named != "" {
		return fmt.Errorf("which cluster is to be attached? --context %s names the primary. If %s is the remote: %s %s --context PRIMARY",
			named, named, c.CommandPath(), named)
	}
	return fmt.Errorf("which cluster is to be attached? Name its context: %s CONTEXT --context PRIMARY", c.CommandPath())
}

// knownCommand refuses a word that is none, and says which may be meant.
func knownCommand(c *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	text := fmt.Sprintf("there is no command %q", args[0])
	if suggestions := c.SuggestionsFor(args[0]); len(suggestions) > 0 {
		text += "; did you mean " + strings.Join(suggestions, " or ") + "?"
	}
	return errors.New(text)
}
