package main

import (
	"context"
	"fmt"

	"github.com/urfave/cli/v3"

	"github.com/halfopen/halfopen/internal/diagnose"
)

func (l *line) diagnoseCommand() *cli.Command {
	return &cli.Command{
		Name: "diagnose", Category: ofService, ArgsUsage: "FILE",
		Usage: "say which connections wait for what, by a goroutine profile (/debug/pprof/goroutine?debug=2) or by what a panic or SIGQUIT prints; the file - is standard input",
		Description: "It knows net/http, its HTTP/2 and database/sql of Go 1.26 and 1.27. The exit code is 0 whatever it says, and 2 if the file is no profile.\n\n" +
			examples("halfopen diagnose testdata/recordings/leaky.goroutines.txt", "halfopen diagnose - <testdata/recordings/leaky.goroutines.txt"),
		Action: func(_ context.Context, cmd *cli.Command) error {
			if cmd.NArg() != 1 {
				return misused(cmd, "want one goroutine profile")
			}
			name := cmd.Args().First()
			f, err := l.openFile(name)
			if err != nil {
				return err
			}
			defer f.Close()
			d, err := diagnose.Read(name, f)
			if err != nil {
				return err
			}
			_, err = fmt.Fprint(l.out, d)
			return err
		},
	}
}
