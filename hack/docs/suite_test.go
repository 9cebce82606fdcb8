// Package docs_test follows the documentation to the letter: it runs the commands of its pages, compares
// what they show with what is seen, and looks whether all that is linked to is there.
package docs_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// The page that a new user begins with, and where it has them get the sources from.
const (
	startPage = "docs/getting-started.md"
	sources   = "https://github.com/heliumai/ecsrelease.git"
)

// user is the machine of somebody who has followed the beginning of the page for new users: the programs
// are built, in the directory home/ecsrelease.
type user struct {
	home  string
	env   []string
	shell *shell  // where they did it
	rest  []block // of the page, which they have not come to yet
}

// dir is for what lasts as long as the tests.
var dir string

func TestMain(m *testing.M) {
	os.Exit(run(m))
}

func run(m *testing.M) (code int) {
	var err error
	if dir, err = os.MkdirTemp("", "ecsrelease-docs-"); err != nil {
		fmt.Fprintln(os.Stderr, "FAIL: making a directory to work in:", err)
		return 1
	}
	defer func() {
		if began {
			if u, err := newUser(); err == nil {
				u.shell.close()
			}
		}
		_ = os.RemoveAll(dir) // it is in the way of nobody
	}()
	return m.Run()
}

// began says that newUser was asked for.
var began bool

// newUser follows the beginning of the page for new users, once.
var newUser = sync.OnceValues(func() (*user, error) {
	began = true
	ctx, cancel := context.WithTimeout(context.Background(), 15*time.Minute)
	defer cancel()
	u := &user{home: filepath.Join(dir, "home")}
	if err := os.Mkdir(u.home, 0o755); err != nil {
		return nil, err
	}
	snapshot, err := takeSnapshot(ctx)
	if err != nil {
		return nil, err
	}
	u.env = instead(sources, snapshot)
	if u.shell, err = openShell(u.home, u.env...); err != nil {
		return nil, err
	}
	page, err := os.ReadFile(filepath.Join(root, startPage))
	if err != nil {
		return nil, err
	}
	for _, b := range blocksOf(startPage, string(page)) {
		if b.isCommands() && b.mark == markRun {
			u.rest = append(u.rest, b)
		}
	}
	for len(u.rest) > 0 && !strings.Contains(u.rest[0].text, "kubebox up") {
		if output, err := u.shell.do(ctx, u.rest[0].text); err != nil {
			u.shell.close()
			return nil, fmt.Errorf("%s: %w\n%s", u.rest[0], err, output)
		}
		u.rest = u.rest[1:]
	}
	if len(u.rest) == 0 {
		u.shell.close()
		return nil, errors.New("the page for new users starts no control plane")
	}
	return u, nil
})

// takeSnapshot makes a repository of the files that are here, committed or not.
func takeSnapshot(ctx context.Context) (string, error) {
	snapshot := filepath.Join(dir, "snapshot")
	script := `set -e
mkdir "$1"
git ls-files -z --cached --others --exclude-standard | while IFS= read -r -d '' file; do
	if [ -e "$file" ] || [ -L "$file" ]; then printf '%s\0' "$file"; fi
done | tar -c --null --no-recursion -T - | tar -x -C "$1"
cd "$1"
git init -q -b main
git add -A
git -c user.name=docs -c user.email=docs@example.com commit -qm "What is here"
`
	cmd := exec.CommandContext(ctx, "bash", "-c", script, "snapshot", snapshot)
	cmd.Dir = root
	if output, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("copying the repository: %w\n%s", err, output)
	}
	return snapshot, nil
}

// instead has git find a repository of the network in a directory. It leaves what else the caller tells git.
func instead(url, directory string) []string {
	n, err := strconv.Atoi(os.Getenv("GIT_CONFIG_COUNT"))
	if err != nil {
		n = 0 // nothing else is told
	}
	return []string{
		fmt.Sprintf("GIT_CONFIG_KEY_%d=url.%s.insteadOf", n, directory), fmt.Sprintf("GIT_CONFIG_VALUE_%d=%s", n, url),
		fmt.Sprintf("GIT_CONFIG_COUNT=%d", n+1),
	}
}
