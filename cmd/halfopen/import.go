package main

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/urfave/cli/v3"

	"github.com/halfopen/halfopen/harness"
	"github.com/halfopen/halfopen/internal/recording"
	"github.com/halfopen/halfopen/internal/recording/pcap"
)

// defaultRequests is how many requests a script has that was made of a recording: an exploration of
// as many ends in seconds.
const defaultRequests = 12

func (l *line) importCommand() *cli.Command {
	set := recording.Settings{}
	var file string
	return &cli.Command{
		Name: "import", Category: ofService, ArgsUsage: "[flags] FILE",
		Usage: "make a race script of a trace of faultnet.Recorder, or of a capture (tcpdump -w) of one host; the file - is standard input",
		Description: "The script runs under halfopen run and halfopen explore as it is. What is a guess says so in its comments.\n\n" +
			examples("halfopen import testdata/recordings/leaky.trace", "halfopen import -o leak.txtar testdata/recordings/leaky.pcap",
				"halfopen import -transport MaxConnsPerHost=2 -leak-after 10s testdata/recordings/leaky.trace", "halfopen import -address 127.0.0.1:8080 - <testdata/recordings/leaky.pcap"),
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "o", Usage: "write to this `file` instead of to standard output", Destination: &file},
			&cli.StringSliceFlag{Name: "address", Usage: "take only the connections to this `address` (host:port), which can be repeated", Destination: &set.Addresses},
			&cli.StringSliceFlag{Name: "transport", Usage: "make the transport with this `SETTING=VALUE`, which can be repeated: a recording does not show MaxConnsPerHost and the like", Destination: &set.Transport},
			&cli.DurationFlag{Name: "leak-after", Value: time.Second, Usage: "the `time` for which something was left at the end of the recording, at least, to be left in the script too", Destination: &set.LeakAfter},
			&cli.IntFlag{Name: "requests", Value: defaultRequests, Usage: "the largest `number` of requests in the script", Destination: &set.Most},
		},
		Action: func(_ context.Context, cmd *cli.Command) error {
			switch {
			case cmd.NArg() != 1:
				return misused(cmd, "want one trace or capture")
			case set.Most < 1:
				return fmt.Errorf("-requests: got %d, want 1 or more", set.Most)
			case set.LeakAfter < 0:
				return fmt.Errorf("-leak-after: got %s, want 0s or more", set.LeakAfter)
			}
			name := cmd.Args().First()
			set.Name = filepath.Base(name)
			rec, err := l.readRecording(name)
			if err != nil {
				return err
			}
			text, err := rec.Script(set)
			if err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
			script, err := harness.ParseScript(set.Name, []byte(text))
			if err != nil {
				return settingMistake(set.Transport, err)
			}
			formatted, _ := script.Format()
			target, err := openOutput("o", cmp.Or(file, standardInput), l.out, name)
			if err != nil {
				return err
			}
			return target.finish(func(w io.Writer) error {
				_, err := w.Write(formatted)
				return err
			})
		},
	}
}

// settingMistake returns what is wrong with a setting of the command line, if it is that.
func settingMistake(settings []string, err error) error {
	if wrong, ok := errors.AsType[*harness.ParseError](err); ok && strings.HasPrefix(wrong.Text, "transport ") {
		return fmt.Errorf("-transport %s: %w", strings.Join(settings, " "), wrong.Err)
	}
	return err
}

// openFile opens a file that a user names, or standard input.
func (l *line) openFile(name string) (io.ReadCloser, error) {
	if name == standardInput {
		return io.NopCloser(l.in), nil
	}
	return openFile(name)
}

// openFile opens a file that a user names.
func openFile(name string) (io.ReadCloser, error) {
	info, err := os.Stat(name) // first: to open a pipe may take forever
	switch {
	case err != nil:
		return nil, err
	case !info.Mode().IsRegular():
		return nil, fmt.Errorf("%s: not a regular file", name)
	}
	return os.Open(name)
}

// readRecording reads a trace or a capture; its first bytes say which of them it is.
func (l *line) readRecording(name string) (*recording.Recording, error) {
	f, err := l.openFile(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	b := bufio.NewReader(f)
	first, _ := b.Peek(len("halfopen "))
	switch {
	case pcap.IsCapture(first):
		return pcap.Read(name, b)
	case len(first) == 0 || recording.IsTrace(first):
		return recording.ReadTrace(name, b)
	}
	return nil, fmt.Errorf("%s:1: neither a trace of faultnet.Recorder nor a capture (pcap, pcapng)", name)
}
