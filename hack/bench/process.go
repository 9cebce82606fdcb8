package main

import (
	"fmt"
	"os"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// memory is what the operating system counts of a process, in bytes.
type memory struct {
	resident int64 // now
	peak     int64 // at its most
}

// memoryOf reads what a process has in memory, from /proc.
func memoryOf(pid int) (memory, error) {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return memory{}, fmt.Errorf("reading the memory of a process: %w", err)
	}
	return parseStatus(string(status))
}

// parseStatus reads /proc/<pid>/status.
func parseStatus(status string) (memory, error) {
	var m memory
	for name, value := range map[string]*int64{"VmRSS": &m.resident, "VmHWM": &m.peak} {
		found := regexp.MustCompile(`(?m)^` + name + `:\s+(\d+) kB$`).FindStringSubmatch(status)
		if found == nil {
			return memory{}, fmt.Errorf("there is no %s in the status of the process", name)
		}
		kibibytes, err := strconv.ParseInt(found[1], 10, 64)
		if err != nil {
			return memory{}, fmt.Errorf("%s of the process: %w", name, err)
		}
		*value = kibibytes << 10
	}
	return m, nil
}

// ticks is how often a second Linux counts CPU time for its users: USER_HZ, which is 100 everywhere.
const ticks = 100

// workOf is the CPU time that a process has used, its own and the kernel's for it.
func workOf(pid int) (time.Duration, error) {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0, fmt.Errorf("reading the CPU time of a process: %w", err)
	}
	return parseStat(string(stat))
}

// parseStat reads utime and stime of /proc/<pid>/stat, its fields 14 and 15. The second one is a name in
// parentheses, in which there may be spaces and parentheses.
func parseStat(stat string) (time.Duration, error) {
	_, rest, _ := strings.Cut(stat[max(0, strings.LastIndexByte(stat, ')')):], " ")
	fields := strings.Fields(rest) // from the third on
	const utime, stime = 14 - 3, 15 - 3
	if len(fields) <= stime {
		return 0, fmt.Errorf("the stat of the process has %d fields behind its name", len(fields))
	}
	var sum int64
	for _, field := range []string{fields[utime], fields[stime]} {
		n, err := strconv.ParseInt(field, 10, 64)
		if err != nil {
			return 0, fmt.Errorf("the CPU time of the process: %w", err)
		}
		sum += n
	}
	return time.Duration(sum) * (time.Second / ticks), nil
}

// processor is what this machine calculates with.
func processor() string {
	info, err := os.ReadFile("/proc/cpuinfo")
	if err != nil {
		return "of a kind that is not known"
	}
	found := regexp.MustCompile(`(?m)^model name\s*: (.*)$`).FindStringSubmatch(string(info))
	if found == nil {
		return "of a kind that is not known"
	}
	return strings.TrimSpace(found[1])
}
