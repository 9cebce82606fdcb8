package simulation

import (
	"fmt"
	"strings"

	"github.com/go-logr/logr"
	"github.com/go-logr/logr/funcr"
)

// canary is in the value of an environment variable and in the name of a secret of every task
// definition of the world, and nowhere else.
const canary = "canary-5ecre7"

// noSecrets: canary strings put in environment variables and secrets appear in no status, event,
// log line or metric.
func (w *world) noSecrets(where, text string) {
	if at := strings.Index(text, canary); at >= 0 {
		w.story.violate("no secret is told", "%s has %q", where, text[max(0, at-80):min(len(text), at+80)])
	}
}

// noSecretsInMetrics looks at what a scrape of a process would show.
func (w *world) noSecretsInMetrics(p *process) {
	families, err := p.registry.Gather()
	if err != nil {
		w.story.violate("metrics can be gathered", "%s: %v", p.name, err)
	}
	for _, family := range families {
		w.noSecrets("the metric "+family.GetName(), family.String())
	}
}

// logSink is where a process logs to.
type logSink struct {
	world   *world
	process string
	name    string
	values  []any
}

func (l *logSink) Init(logr.RuntimeInfo) {}

func (l *logSink) Enabled(level int) bool { return level <= 1 }

func (l *logSink) Info(_ int, message string, values ...any) { l.write(message, values) }

func (l *logSink) Error(err error, message string, values ...any) {
	l.write(message, append(values, "error", fmt.Sprint(err)))
}

func (l *logSink) write(message string, values []any) {
	text := message
	for _, value := range append(append([]any(nil), l.values...), values...) {
		switch v := value.(type) {
		case string:
			text += " " + v
		case error:
			text += " " + v.Error()
		case fmt.Stringer, int, int32, int64, bool, float64:
			text += fmt.Sprintf(" %v", v)
		default:
			text += " " + fmt.Sprintf("%+v", funcr.PseudoStruct{v})
		}
	}
	l.world.noSecrets("a line of the log", text)
	if l.world.setup.Verbose {
		l.world.story.tell("log", "%s %s %s", l.process, l.name, text)
	}
}

func (l *logSink) WithValues(values ...any) logr.LogSink {
	with := *l
	with.values = append(append([]any(nil), l.values...), values...)
	return &with
}

func (l *logSink) WithName(name string) logr.LogSink {
	with := *l
	with.name = strings.TrimPrefix(l.name+"."+name, ".")
	return &with
}
