package faultnet

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/halfopen/halfopen/internal/nearest"
)

// Verdict says how an event happens: a fault's effect with its parameters.
// Its zero value is [Pass]. Every verdict is something that a real network,
// kernel or resolver does. Parameters are written behind its name: "cut:10",
// "delay:5ms".
type Verdict struct {
	effect *effect // its row of the table; nil for Pass
	name   string
	parameters
}

// String returns the verdict's name in scripts and reports, with its parameters.
func (v Verdict) String() string {
	if v.name == "" {
		return "pass"
	}
	return v.name
}

// Doc says what the verdict does, in a sentence.
func (v Verdict) Doc() string { return v.row().doc }

// Params shows how the verdict's parameters are written behind its name, such as
// "[:BYTES]", or "".
func (v Verdict) Params() string { return v.row().params }

// Kinds returns the kinds of events that the verdict can be given for.
func (v Verdict) Kinds() Kind { return v.row().kinds }

// IsPass reports whether v lets the event take its normal course.
func (v Verdict) IsPass() bool { return v.effect == nil }

// IsHold reports whether v keeps the event pending.
func (v Verdict) IsHold() bool { return v.name == "hold" }

// Errno returns the number of a verdict such as [Fail], or 0.
func (v Verdict) Errno() syscall.Errno { return v.errno }

// Verdicts returns all verdicts but Pass, in the order of the documentation, those
// with parameters as they are without them.
func Verdicts() []Verdict { return slices.Clone(verdictTable) }

// row returns the verdict's row of the table; that of Pass is empty.
func (v Verdict) row() *effect {
	if v.effect == nil {
		return &noEffect
	}
	return v.effect
}

var noEffect effect

// with returns v with those parameters, and named after them.
func (v Verdict) with(p parameters) Verdict {
	least := 0
	if v.effect.positive {
		least = 1
	}
	switch {
	case p.bytes < least:
		panic(fmt.Sprintf("faultnet: %s: got %d, want %d or more", v.effect.name, p.bytes, least))
	case p.d < 0:
		panic(fmt.Sprintf("faultnet: %s: got %s, want 0s or more", v.effect.name, p.d))
	}
	v.parameters = p
	var words []string
	for name := range strings.SplitSeq(strings.Trim(v.effect.params, "[:]"), ",") {
		switch name {
		case "BYTES", "BYTE":
			words = append(words, byteCount(p.bytes))
		case "DURATION":
			words = append(words, p.d.String())
		case "SEED":
			words = append(words, strconv.FormatUint(p.seed, 10))
		case "ERRNO":
			words = append(words, ErrnoName(p.errno))
		}
	}
	v.name = v.effect.name + ":" + strings.Join(words, ",")
	return v
}

// ParseVerdict reads the name of a verdict with its parameters: "refuse",
// "cut:10", "jitter:5ms,7", "error:EPIPE". A parameter that is left out has the
// value that the verdict's Doc gives in brackets; BYTES can be "all".
func ParseVerdict(s string) (Verdict, error) {
	name, rest, given := strings.Cut(s, ":")
	i := slices.IndexFunc(verdictTable, func(v Verdict) bool { return v.name == name })
	if i < 0 {
		return Pass, fmt.Errorf("faultnet: unknown verdict %q%s", name, nearest.DidYouMean(name, verdictNames()))
	}
	v := verdictTable[i]
	if !given {
		return v, nil
	}
	names := strings.Split(strings.Trim(v.effect.params, "[:]"), ",")
	words := strings.Split(rest, ",")
	if v.effect.params == "" || len(words) > len(names) {
		return Pass, fmt.Errorf("faultnet: verdict %q: want %s%s", s, name, v.effect.params)
	}
	p := v.parameters
	for i, w := range words {
		if err := p.parse(names[i], w); err != nil || v.effect.positive && p.bytes == 0 {
			return Pass, fmt.Errorf("faultnet: verdict %q: bad %s %q%s", s, names[i], w, v.wantOf(names[i], w))
		}
	}
	return v.with(p), nil
}

// verdictNames returns the names of all verdicts.
func verdictNames() (names []string) {
	for _, v := range verdictTable {
		names = append(names, v.name)
	}
	return names
}

// wantOf says what a parameter of that name has to be, in place of a wrong word.
func (v Verdict) wantOf(name, wrong string) string {
	switch name {
	case "DURATION":
		return ": want 90s, 1ms and the like"
	case "ERRNO":
		return nearest.DidYouMean(wrong, ErrnoNames()) + ": want one of " + strings.Join(ErrnoNames(), ", ")
	}
	if v.effect.positive {
		return ": want a number, 1 or more"
	}
	return ": want a number"
}

// parse sets the parameter of that name.
func (p *parameters) parse(name, word string) (err error) {
	switch name {
	case "BYTES", "BYTE":
		p.bytes, err = parseBytes(word)
	case "DURATION":
		if p.d, err = time.ParseDuration(word); p.d < 0 {
			err = strconv.ErrRange
		}
	case "SEED":
		p.seed, err = strconv.ParseUint(word, 10, 64)
	case "ERRNO":
		p.errno, err = parseErrno(word)
	}
	return err
}

func byteCount(n int) string {
	if n == allBytes {
		return "all"
	}
	return strconv.Itoa(n)
}

func parseBytes(s string) (int, error) {
	if s == "all" {
		return allBytes, nil
	}
	n, err := strconv.ParseUint(s, 10, 31)
	return int(n), err
}

// errnos is the numbers that calls on a TCP connection or listener are known
// to fail with on Linux.
var errnos = []struct {
	name  string
	errno syscall.Errno
}{
	{"EPIPE", syscall.EPIPE}, {"ECONNRESET", syscall.ECONNRESET}, {"ETIMEDOUT", syscall.ETIMEDOUT},
	{"EHOSTUNREACH", syscall.EHOSTUNREACH}, {"ENETUNREACH", syscall.ENETUNREACH}, {"ENETDOWN", syscall.ENETDOWN},
	{"EMFILE", syscall.EMFILE}, {"ENFILE", syscall.ENFILE}, {"ENOBUFS", syscall.ENOBUFS}, {"ENOMEM", syscall.ENOMEM},
	{"ECONNABORTED", syscall.ECONNABORTED}, {"EINVAL", syscall.EINVAL}, {"EIO", syscall.EIO}, {"EPROTO", syscall.EPROTO},
}

// ErrnoName returns the name that scripts have for an errno.
func ErrnoName(e syscall.Errno) string {
	for _, x := range errnos {
		if x.errno == e {
			return x.name
		}
	}
	return strconv.Itoa(int(e))
}

func parseErrno(s string) (syscall.Errno, error) {
	for _, x := range errnos {
		if x.name == s {
			return x.errno, nil
		}
	}
	return 0, strconv.ErrSyntax
}

// endsConn reports whether a call that failed with errno leaves no connection.
func endsConn(errno syscall.Errno) bool {
	switch errno {
	case syscall.EPIPE, syscall.ECONNRESET, syscall.ETIMEDOUT, syscall.EHOSTUNREACH, syscall.ENETUNREACH, syscall.ECONNABORTED:
		return true
	}
	return false
}

// ErrnoNames returns all of these names.
func ErrnoNames() []string {
	names := make([]string, len(errnos))
	for i, x := range errnos {
		names[i] = x.name
	}
	return names
}
