package main

import (
	"os"
	"runtime"
	"testing"
	"time"
)

func TestMemoryIsWhatLinuxSays(t *testing.T) {
	const status = "Name:\tmanager\nVmPeak:\t 1300000 kB\nVmHWM:\t  190400 kB\nVmRSS:\t  169984 kB\nRssAnon:\t   90000 kB\n"
	got, err := parseStatus(status)
	if want := (memory{resident: 166 << 20, peak: 190400 << 10}); err != nil || got != want {
		t.Errorf("the memory is %+v, %v; want %+v", got, err, want)
	}
	if got := mebibytes(got.peak); got != "186 MiB" {
		t.Errorf("the peak is written %s, want 186 MiB", got)
	}
	if got, err := parseStatus("Name:\tzombie\n"); err == nil {
		t.Errorf("what has no memory has %+v", got)
	}
}

func TestCPUTimeIsThatOfTheProcessAndOfTheKernelForIt(t *testing.T) {
	const stat = "4711 (a (strange) name) S 1 4711 4711 0 -1 4194560 9000 0 12 0 1250 250 3 4 20 0 12 0 123456 1300000000 42496 18446744073709551615\n"
	if got, err := parseStat(stat); err != nil || got != 15*time.Second {
		t.Errorf("the CPU time is %s, %v; want 15s", got, err)
	}
	for _, wrong := range []string{"", "4711 (manager) S 1", "4711 (manager) S 1 2 3 4 5 6 7 8 9 10 x y z"} {
		if got, err := parseStat(wrong); err == nil {
			t.Errorf("the CPU time of %q is %s", wrong, got)
		}
	}
}

func TestThisProcessHasMemoryAndWorks(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("there is no /proc")
	}
	if m, err := memoryOf(os.Getpid()); err != nil || m.resident < 1<<20 || m.peak < m.resident {
		t.Errorf("the memory is %+v, %v", m, err)
	}
	if _, err := workOf(os.Getpid()); err != nil {
		t.Error(err)
	}
}
