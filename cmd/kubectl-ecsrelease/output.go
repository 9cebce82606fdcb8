package main

import (
	"encoding/json"
	"fmt"
	"io"

	"github.com/spf13/cobra"
	"sigs.k8s.io/yaml"
)

// output is where a command prints to. What cannot be written is no success, whatever the command
// does then.
type output struct {
	io.Writer

	// err is the first that there was.
	err error
}

func (o *output) Write(text []byte) (int, error) {
	n, err := o.Writer.Write(text)
	if err != nil && o.err == nil {
		o.err = fmt.Errorf("writing the output: %w", err)
	}
	return n, err
}

// outputFlag lets a command print data instead of words.
func outputFlag(cmd *cobra.Command, format *string) {
	cmd.Flags().StringVarP(format, "output", "o", "", "Print data instead: json or yaml.")
	// The flag exists: nothing can go wrong.
	_ = cmd.RegisterFlagCompletionFunc("output", cobra.FixedCompletions([]string{"json", "yaml"}, cobra.ShellCompDirectiveNoFileComp))
}

// print prints data in a format, or lines where none is asked for.
func (p *plugin) print(format string, data any, lines func() []string) error {
	switch format {
	case "":
		p.say(lines()...)
		return nil
	case "json":
		encoder := json.NewEncoder(p.out)
		encoder.SetIndent("", "    ")
		encoder.SetEscapeHTML(false)
		return encoder.Encode(data)
	case "yaml":
		encoded, err := yaml.Marshal(data)
		if err != nil {
			return fmt.Errorf("writing yaml: %w", err)
		}
		_, err = p.out.Write(encoded)
		return err
	default:
		return fmt.Errorf("-o is %q: it must be json or yaml", format)
	}
}
