package main

import (
	"bytes"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/urfave/cli/v3"
)

// A kind is a kind of files.
type kind struct {
	begins, name string
	commands     []string
}

// kinds are the kinds of files that commands read: how they begin, and which commands read them.
var kinds = []kind{
	{"halfopen replay ", "a saved schedule", []string{"replay"}},
	{"halfopen trace ", "a trace", []string{"import"}},
	{"goroutine ", "a goroutine profile", []string{"diagnose"}},
	{"<!doctype html>", "a page", []string{"export"}},
	{`{"version":`, "a report of a shard", []string{"merge"}},
	{"# ", "a script", []string{"run", "explore", "fmt", "replay", "proxy"}},
}

// otherKind says that a file which a command cannot read is one for another command, or returns "".
func otherKind(cmd *cli.Command, err error) string {
	reads := slices.ContainsFunc(kinds, func(k kind) bool { return slices.Contains(k.commands, cmd.Name) })
	if !reads {
		return ""
	}
	for _, file := range cmd.Args().Slice() {
		if !strings.Contains(err.Error(), file+":") {
			continue
		}
		first := beginning(file)
		for _, of := range kinds {
			if bytes.HasPrefix(first, []byte(of.begins)) && !slices.Contains(of.commands, cmd.Name) {
				return fmt.Sprintf("; %s is %s: halfopen %s reads it", file, of.name, of.commands[0])
			}
		}
	}
	return ""
}

// beginning returns how a regular file begins.
func beginning(file string) []byte {
	f, err := openFile(file)
	if err != nil {
		return nil
	}
	defer f.Close()
	first := make([]byte, 16)
	n, _ := io.ReadFull(f, first)
	return first[:n]
}
