package main

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

type served func(*http.Request) (*http.Response, error)

func (s served) RoundTrip(request *http.Request) (*http.Response, error) { return s(request) }

func TestAManagerIsScrapedAtIntervalsOnceItAnswers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		asked := 0
		client := &http.Client{Transport: served(func(request *http.Request) (*http.Response, error) {
			if request.URL.String() != "http://127.0.0.1:4711/metrics" {
				t.Errorf("asked for %s", request.URL)
			}
			if asked++; asked == 1 {
				return nil, errors.New("connection refused")
			}
			return &http.Response{StatusCode: http.StatusOK, Body: io.NopCloser(strings.NewReader("# HELP up\nup 1\n"))}, nil
		})}
		s := scrape(t.Context(), client, "127.0.0.1:4711", 30*time.Second)
		time.Sleep(5*time.Minute + time.Second)
		if err := s.end(); err != nil {
			t.Error(err)
		}
		if s.scrapes != 9 || s.lines != 2 {
			t.Errorf("in five minutes %d scrapes of %d lines, want 9 of 2", s.scrapes, s.lines)
		}
	})
}

func TestAManagerThatNeverServesItsMetricsIsTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client := &http.Client{Transport: served(func(*http.Request) (*http.Response, error) {
			return &http.Response{StatusCode: http.StatusForbidden, Status: "403 Forbidden", Body: http.NoBody}, nil
		})}
		s := scrape(t.Context(), client, "127.0.0.1:4711", 30*time.Second)
		time.Sleep(time.Minute)
		if err := s.end(); err == nil || !strings.Contains(err.Error(), "403") {
			t.Errorf("the end says %v", err)
		}
	})
}
