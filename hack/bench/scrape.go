package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"heliumai.space/ecsrelease/internal/lab"
)

// scraper asks a manager for its metrics again and again, as Prometheus does.
type scraper struct {
	address string
	client  *http.Client
	stop    context.CancelFunc
	stopped chan struct{}

	// What came of it, once it has stopped.
	scrapes, lines int
	problem        error // of the last one that failed
}

// scrape begins to ask a manager that serves its metrics at an address, from the next interval on: who does
// not answer yet is asked again then. Whoever begins must end.
func scrape(ctx context.Context, client *http.Client, address string, every time.Duration) *scraper {
	ctx, stop := context.WithCancel(ctx)
	s := &scraper{address: address, client: client, stop: stop, stopped: make(chan struct{})}
	go func() {
		defer close(s.stopped)
		for pause(ctx, every) == nil {
			lines, err := s.once(ctx)
			switch {
			case ctx.Err() != nil:
			case err != nil:
				s.problem = err
			default:
				s.scrapes, s.lines = s.scrapes+1, lines
			}
		}
	}()
	return s
}

// end stops it. The error is that no scrape has come out.
func (s *scraper) end() error {
	s.stop()
	<-s.stopped
	if s.scrapes == 0 {
		return errors.Join(fmt.Errorf("the manager's metrics at %s were never served", s.address), s.problem)
	}
	return nil
}

// once reads all metrics, and says how many lines there are.
func (s *scraper) once(ctx context.Context) (lines int, err error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+s.address+"/metrics", http.NoBody)
	if err != nil {
		return 0, fmt.Errorf("asking for metrics: %w", err)
	}
	response, err := s.client.Do(request)
	if err != nil {
		return 0, fmt.Errorf("asking for metrics: %w", err)
	}
	defer response.Body.Close() // what was read is complete, or reading failed
	if response.StatusCode != http.StatusOK {
		return 0, fmt.Errorf("asking for metrics: %s", response.Status)
	}
	text := bufio.NewScanner(response.Body)
	for text.Scan() {
		lines++
	}
	if err := text.Err(); err != nil {
		return 0, fmt.Errorf("reading metrics: %w", err)
	}
	return lines, nil
}

// scraped has the manager that is about to start serve its metrics, and be asked for them until it ends.
// The flags are what it is to be started with.
func (f *fleet) scraped(ctx context.Context) (flags []string, err error) {
	address, err := lab.FreeAddress()
	if err != nil {
		return nil, err
	}
	f.scraper = scrape(ctx, http.DefaultClient, address, f.size.scrape)
	return []string{"--metrics-bind-address=" + address, "--metrics-secure=false"}, nil
}

// unscraped ends that.
func (f *fleet) unscraped() error {
	if f.scraper == nil {
		return nil
	}
	s := f.scraper
	f.scraper = nil
	err := s.end()
	say("the manager's metrics were scraped %d times, %d lines at last", s.scrapes, s.lines)
	return err
}
