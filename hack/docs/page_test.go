package docs_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// root is the directory of the repository.
const root = "../.."

// What a block of commands says of itself, behind its language. GitHub shows the first word only.
const (
	// markRun is run, and what a console shows is what is seen.
	markRun = "run"
	// markTry is run, and what a console shows is not compared: it tells of another moment.
	markTry = "try"
	// markMake is targets of the Makefile, which .ci/run or a person calls.
	markMake = "make"
	// markAWS needs an account of AWS, markCluster a cluster that runs pods.
	markAWS     = "aws"
	markCluster = "cluster"
	// markSeen shows what was seen once, in a world that takes more to make than a page tells.
	markSeen = "seen"
)

// shells are the languages that blocks of commands are in; console has a prompt and shows output.
var shells = []string{"sh", "bash", "shell", "zsh", "console", "shell-session"}

// block is a fenced block of a page.
type block struct {
	page     string // its path from the root
	line     int    // of its first line
	language string
	mark     string
	text     string
}

func (b block) String() string { return fmt.Sprintf("%s:%d", b.page, b.line) }

// isCommands says whether the block holds commands for a shell.
func (b block) isCommands() bool { return slices.Contains(shells, b.language) }

// pages are all that people are given to read and to type, by their paths from the root.
func pages(t *testing.T) []string {
	t.Helper()
	found := []string{"README.md", "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md"}
	docs, err := filepath.Glob(root + "/docs/*.md")
	if err != nil || len(docs) < 5 {
		t.Fatalf("the pages of docs are %v (%v), wanted five at least", docs, err)
	}
	for _, path := range docs {
		found = append(found, "docs/"+filepath.Base(path))
	}
	return found
}

func read(t *testing.T, page string) string {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(root, page))
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

// blocksOf are the fenced blocks of a page, in its order, those of lists too.
func blocksOf(page, text string) []block {
	var found []block
	var open *block
	indent := ""
	for i, line := range strings.Split(text, "\n") {
		if open == nil {
			indent = line[:len(line)-len(strings.TrimLeft(line, " "))]
		}
		line = strings.TrimPrefix(line, indent)
		fence, isFence := strings.CutPrefix(line, "```")
		switch {
		case open == nil && isFence:
			language, mark, _ := strings.Cut(strings.TrimSpace(fence), " ")
			open = &block{page: page, line: i + 2, language: language, mark: strings.TrimSpace(mark)}
		case isFence && strings.TrimSpace(fence) == "":
			found = append(found, *open)
			open = nil
		case open != nil:
			open.text += line + "\n"
		}
	}
	return found
}

// step is a command of a console, with what it shows.
type step struct {
	line    int
	command string
	shown   []string
}

// stepsOf are the commands of a console. A command that ends in a backslash goes on in the next line.
func stepsOf(b block) []step {
	var steps []step
	continued := false
	for i, line := range strings.Split(strings.TrimSuffix(b.text, "\n"), "\n") {
		command, isCommand := strings.CutPrefix(line, "$ ")
		last := len(steps) - 1
		switch {
		case continued:
			steps[last].command += "\n" + line
			command = line
		case isCommand:
			steps = append(steps, step{line: b.line + i, command: command})
		case last >= 0:
			steps[last].shown = append(steps[last].shown, line)
		}
		continued = (isCommand || continued) && strings.HasSuffix(command, `\`)
	}
	return steps
}

func TestBlocksAreReadWithTheirMarks(t *testing.T) {
	page := "# A\n\n```sh run\nmake\n```\ntext\n```console seen\n$ a \\\n  b\none\n\ntwo\n$ c\n```\n```\nplain\n```\n1. b\n\n   ```sh aws\n   a\n     b\n   ```\n"
	blocks := blocksOf("a.md", page)
	if len(blocks) != 4 {
		t.Fatalf("blocks %v", blocks)
	}
	if b := blocks[3]; b.language != "sh" || b.mark != markAWS || b.text != "a\n  b\n" {
		t.Errorf("the last is %+v", b)
	}
	if b := blocks[0]; b.language != "sh" || b.mark != markRun || b.text != "make\n" || b.String() != "a.md:4" {
		t.Errorf("the first is %+v", b)
	}
	steps := stepsOf(blocks[1])
	if len(steps) != 2 || steps[0].command != "a \\\n  b" || !slices.Equal(steps[0].shown, []string{"one", "", "two"}) || steps[1].command != "c" || steps[1].line != 13 {
		t.Errorf("the steps of the second are %+v", steps)
	}
	if blocks[2].isCommands() {
		t.Error("a block without a language is taken for commands")
	}
}
