// Command kubectl-ecsrelease is a kubectl plugin, `kubectl ecsrelease`, for those who release: it
// shows a release as it goes on, waits for it, orders it about, and says what it would register.
package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	_ "time/tzdata" // the image has no operating system, and so no zones

	_ "golang.org/x/crypto/x509roots/fallback" // nor certificate authorities; where there are some, these are not used

	"heliumai.space/ecsrelease/internal/rollout"
)

// completer is the name under which kubectl asks a plugin what could come next. It is this program,
// linked to under that name.
const completer = "kubectl_complete-ecsrelease"

func main() {
	args := os.Args[1:]
	if filepath.Base(os.Args[0]) == completer {
		args = append([]string{"__complete"}, args...)
	}
	os.Exit(run(args, os.Stdout, os.Stderr))
}

// run runs one command to its end, and is what to exit with: what the command says, or else that it
// was used wrongly or the API could not be asked.
func run(args []string, out, problems io.Writer) int {
	written := &output{Writer: out}
	root := newRoot(written, problems)
	root.SetArgs(args)
	err := root.Execute()
	if err == nil {
		err = written.err
	}
	var end *ending
	switch {
	case err == nil:
		return rollout.ExitReady
	case errors.As(err, &end):
		if end.says != "" {
			fmt.Fprintln(problems, end.says)
		}
		return end.code
	default:
		fmt.Fprintln(problems, "error:", err)
		return rollout.ExitUsage
	}
}

// ending is an end of a command that is no mistake of anybody's, and no success either.
type ending struct {
	code int
	says string
}

func (e *ending) Error() string { return e.says }
