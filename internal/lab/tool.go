package lab

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
)

// Tool is the path of a program that a module under the repository's root pins by a tool line, such
// as helm of hack/release. It is compiled when Go's cache does not have it.
func Tool(ctx context.Context, root, module, program string) (string, error) {
	cmd := exec.CommandContext(ctx, "go", "tool", "-modfile="+filepath.Join(module, "go.mod"), "-n", program)
	cmd.Dir = root
	output, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("building %s of %s: %w%s", program, module, err, said(err))
	}
	return strings.TrimSpace(string(output)), nil
}

// Helm is a helm that touches nothing of the caller's, with what it says when it fails as the error.
type Helm struct {
	program string
	home    string
}

// NewHelm is the helm of hack/release. home is a directory for what it writes.
func NewHelm(ctx context.Context, root, home string) (*Helm, error) {
	program, err := Tool(ctx, root, filepath.Join("hack", "release"), "helm")
	if err != nil {
		return nil, err
	}
	return &Helm{program: program, home: home}, nil
}

// Run runs it to its end and returns what it prints.
func (h *Helm) Run(ctx context.Context, args ...string) ([]byte, error) {
	cmd := exec.CommandContext(ctx, h.program, args...)
	cmd.Env = append(CleanEnvironment(), "HELM_CACHE_HOME="+h.home, "HELM_CONFIG_HOME="+h.home, "HELM_DATA_HOME="+h.home)
	output, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("helm %s: %w%s", strings.Join(args, " "), err, said(err))
	}
	return output, nil
}

// said is what a program that failed has said.
func said(err error) string {
	if exit := (*exec.ExitError)(nil); errors.As(err, &exit) {
		return "\n" + string(exit.Stderr)
	}
	return ""
}
