package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/urfave/cli/v3"

	"github.com/halfopen/halfopen/harness"
	"github.com/halfopen/halfopen/internal/jsonfile"
	"github.com/halfopen/halfopen/internal/proxy"
)

// proxyFlags has the values of the flags of proxy.
type proxyFlags struct {
	listen, admin, config string
	maps                  []string
	seed                  uint64
	json                  bool
}

const proxyHelp = `Programs in any language, which are not changed, go through the proxy: by its address, as
HTTP_PROXY or a SOCKS5 proxy, or by an address that -map leads to their server. What happens to
their connections is said by RULES, a race script with the verbs fault, shape, resolve and route
only (halfopen help fault); the file - is standard input. The connection that is accepted first
is c1, and its dial d1:

  # The second connection is reset behind 100 bytes, and the third dial refused.
  fault c2 server->client data as reset from 100
  fault dial d3 as refuse
  shape * server->client data as delay:50ms
  route api.test:80 127.0.0.1:8080

At a SIGHUP it reads RULES again: what it decides about from then on, on open connections too,
is decided by the new lines; a line that stays goes on counting. A mistake changes nothing.

With -admin, toxiproxy's clients drive it: mappings are their proxies, and RULES can be left
out. GET /rules shows the rules there, and PUT /rules replaces them. It listens on loopback only, and prints its addresses. It ends at an interrupt, or when
COMMAND has ended, which gets its address as HTTP_PROXY, HTTPS_PROXY and ALL_PROXY. Each effect
of a rule is printed, and at the end how often each rule has fired: to standard output, or, with
COMMAND, to standard error.

exit codes:
  0  each rule has fired
  1  a rule has never fired, also one that is gone
  2  the command line or a rule has a mistake, or an address is in use
     with COMMAND: its exit code, if that is not 0

`

func (l *line) proxyCommand() *cli.Command {
	var flags proxyFlags
	return &cli.Command{
		Name: "proxy", Category: ofPrograms, ArgsUsage: "[flags] RULES [-- COMMAND...]",
		Usage: "run a proxy on loopback with faults by rule, for programs in any language",
		Description: proxyHelp + examples(
			"halfopen proxy testdata/proxy/second-reset.txtar",
			"halfopen proxy testdata/proxy/second-reset.txtar -- curl http://api.test/",
			"halfopen proxy -map db=127.0.0.1:15432=127.0.0.1:5432 testdata/proxy/slow.txtar",
			"halfopen proxy -admin 127.0.0.1:8474"),
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "listen", Value: "127.0.0.1:0", Usage: "the `address` of the forward proxy: HTTP (CONNECT and absolute URLs) and SOCKS5; empty for none (default 127.0.0.1:0, any free port)", Destination: &flags.listen},
			&cli.StringSliceFlag{Name: "map", Usage: "listen on one address and connect to another: `[NAME=]LISTEN=UPSTREAM`; may be repeated", Destination: &flags.maps},
			&cli.StringFlag{Name: "config", Usage: "make the mappings of this `file`, which is toxiproxy's JSON", Destination: &flags.config},
			&cli.StringFlag{Name: "admin", Usage: "serve toxiproxy's HTTP API on this `address`", Destination: &flags.admin},
			&cli.Uint64Flag{Name: "seed", Value: 1, Usage: "the `seed` of what is random: jitter, tail, toxicity (default 1)", Destination: &flags.seed},
			&cli.BoolFlag{Name: "json", Usage: "print each line as JSON", Destination: &flags.json},
		},
		Action: func(ctx context.Context, cmd *cli.Command) error {
			files, command := l.splitCommand(cmd)
			switch {
			case len(files) > 1:
				return misused(cmd, "want one file of rules; a command stands behind --")
			case len(files) == 0 && flags.admin == "":
				return misused(cmd, "want a file of rules, or -admin")
			case command != nil && len(command) == 0:
				return misused(cmd, "want a command behind --")
			}
			return l.runProxy(ctx, flags, files, command)
		},
	}
}

// splitCommand returns the arguments in front of "--", and the command behind it, or nil.
func (l *line) splitCommand(cmd *cli.Command) (files, command []string) {
	files = cmd.Args().Slice()
	if i := slices.Index(l.args, "--"); i >= 0 {
		command = append([]string{}, l.args[i+1:]...)
		files = files[:len(files)-len(command)]
	}
	return files, command
}

// runProxy runs the proxy until it is interrupted or the command has ended.
func (l *line) runProxy(ctx context.Context, flags proxyFlags, files, command []string) error {
	out := l.out
	if command != nil {
		l.errs = lock(l.errs) // the log and the command both write there
		out = l.errs
	}
	p := &proxy.Proxy{Seed: flags.seed, Log: proxy.NewLog(out, flags.json)}
	for _, file := range files {
		rules, err := l.readRules(file)
		if err != nil {
			return err
		}
		p.Rules = rules
	}
	ctx, stop := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
	defer stop()
	defer l.rereadRules(ctx, p, files)() // from now on: who sees an address may send the signal
	address, err := startProxy(p, flags)
	if err != nil {
		p.Close()
		return err
	}
	code := exit(held)
	if command == nil {
		<-ctx.Done()
	} else if code, err = l.runThrough(ctx, address, command); err != nil {
		p.Close()
		return err
	}
	p.Close()
	if all := p.Summary(); !all && code == held {
		code = failed
	}
	if code == held {
		return nil
	}
	return code
}

// rereadRules reads the file of rules again at each SIGHUP, until the function that it returns is called.
// Without a file, or with standard input, the signal is not caught.
func (l *line) rereadRules(ctx context.Context, p *proxy.Proxy, files []string) (stop func()) {
	if len(files) == 0 || files[0] == standardInput {
		return func() {}
	}
	ctx, cancel := context.WithCancel(ctx)
	hangups, ended := make(chan os.Signal, 1), make(chan struct{})
	signal.Notify(hangups, syscall.SIGHUP)
	go func() {
		defer close(ended)
		for {
			select {
			case <-hangups:
			case <-ctx.Done():
				return
			}
			if rules, err := l.readRules(files[0]); err != nil {
				p.KeepRules(err)
			} else {
				p.SetRules(files[0], rules)
			}
		}
	}()
	return func() {
		signal.Stop(hangups)
		cancel()
		<-ended
	}
}

// readRules reads a file of rules, or standard input.
func (l *line) readRules(file string) (*proxy.Rules, error) {
	if file == standardInput {
		data, err := io.ReadAll(io.LimitReader(l.in, mostInScript+1))
		if err == nil && len(data) > mostInScript {
			err = fmt.Errorf("standard input: more than %d bytes", mostInScript)
		}
		if err != nil {
			return nil, err
		}
		return proxy.ParseRules(file, data)
	}
	if _, err := harness.ReadScript(file); err != nil {
		return nil, err // no regular file, too large, or not of the language
	}
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	return proxy.ParseRules(file, data)
}

// startProxy listens on all addresses, and returns that of the forward proxy.
func startProxy(p *proxy.Proxy, flags proxyFlags) (address string, err error) {
	if flags.listen != "" {
		addr, err := p.Forward(flags.listen)
		if err != nil {
			return "", fmt.Errorf("-listen: %w", err)
		}
		address = addr.String()
	}
	for _, m := range flags.maps {
		words := strings.Split(m, "=")
		if len(words) == 2 {
			words = append(words[:1:1], words...) // its name is the address
		}
		if len(words) != 3 || slices.Contains(words, "") {
			return "", fmt.Errorf("-map %s: want [NAME=]LISTEN=UPSTREAM, as in db=127.0.0.1:15432=127.0.0.1:5432", m)
		}
		if err := p.Map(words[0], words[1], words[2]); err != nil {
			return "", fmt.Errorf("-map %s: %w", m, err)
		}
	}
	if flags.config != "" {
		text, err := os.ReadFile(flags.config)
		if err == nil {
			if err = p.PopulateFile(text); err != nil {
				err = jsonfile.Mistake(flags.config, text, "toxiproxy's list of proxies in JSON", err)
			}
		}
		if err != nil {
			return "", fmt.Errorf("-config: %w", err)
		}
	}
	if flags.admin != "" {
		if _, err := p.ServeAdmin(flags.admin); err != nil {
			return "", fmt.Errorf("-admin: %w", err)
		}
	}
	return address, nil
}

// runThrough runs a command that has the proxy's address in its environment, and returns its
// exit code.
func (l *line) runThrough(ctx context.Context, address string, command []string) (exit, error) {
	cmd := exec.CommandContext(ctx, command[0], command[1:]...)
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = 5 * time.Second
	cmd.Stdin, cmd.Stdout, cmd.Stderr = l.in, l.out, l.errs
	cmd.Env = os.Environ()
	if address != "" {
		for _, name := range []string{"HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"} {
			cmd.Env = append(cmd.Env, name+"=http://"+address, strings.ToLower(name)+"=http://"+address)
		}
		cmd.Env = append(cmd.Env, "NO_PROXY=", "no_proxy=", "NODE_USE_ENV_PROXY=1") // Node.js asks for its leave
	}
	err := cmd.Run()
	if status, ok := errors.AsType[*exec.ExitError](err); ok {
		return exit(max(status.ExitCode(), int(failed))), nil // -1 if a signal has ended it
	}
	return held, err
}

// lock returns a writer that several goroutines can use. A file is one.
func lock(w io.Writer) io.Writer {
	if _, ok := w.(*os.File); ok {
		return w // and the command gets it as it is
	}
	return &lockedWriter{w: w}
}

// lockedWriter writes for one goroutine at a time.
type lockedWriter struct {
	mu sync.Mutex
	w  io.Writer
}

// Write writes b.
func (l *lockedWriter) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.w.Write(b)
}
