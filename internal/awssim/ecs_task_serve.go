package awssim

import (
	"fmt"
	"net/http"
)

// handler answers what a load balancer forwards to a container: 200 with a line that says
// who answers, or the status that the image's behaviour asks for. It does not run under
// world.mu, so it reads only what is settled once the container runs. A container that has
// stopped breaks the connection.
func (t *task) handler(c *taskContainer) func(http.ResponseWriter, *http.Request) {
	status := http.StatusOK
	if c.behavior != nil {
		status = c.behavior.httpStatus()
	}
	line := fmt.Sprintf("service %s, image %s, revision %s, task %s\n", t.service.name, *c.spec.Image, t.revision.definition.name(), t.id)
	stopped := &t.halted
	return func(w http.ResponseWriter, _ *http.Request) {
		if stopped.Load() {
			panic(http.ErrAbortHandler)
		}
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		w.WriteHeader(status)
		_, _ = w.Write([]byte(line)) // a client that is gone needs no answer
	}
}
