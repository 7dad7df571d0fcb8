// Sample writes the goroutines of a process in which each wait of package waits occurs, on real sockets.
// It is run with each version of Go, and once more with the ancestors of goroutines:
//
//	go run -trimpath ./internal/diagnose/sample -o internal/diagnose/testdata
//	GOTOOLCHAIN=go1.27.3 go run -trimpath ./internal/diagnose/sample -o internal/diagnose/testdata
//	GODEBUG=tracebackancestors=10 go run -trimpath ./internal/diagnose/sample -o internal/diagnose/testdata -name ancestors
//	GOTRACEBACK=all go run -trimpath ./internal/diagnose/sample -panic 2>internal/diagnose/testdata/panic.txt
//	GOTRACEBACK=system go run -trimpath ./internal/diagnose/sample -panic 2>internal/diagnose/testdata/system.txt
package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"log"
	"net"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"runtime/pprof"
	"strings"
	"time"

	"github.com/halfopen/halfopen/internal/diagnose/waits"
)

func main() {
	folder := flag.String("o", ".", "the folder to write to")
	name := flag.String("name", "", "the name of the files; by default the version of Go")
	panics := flag.Bool("panic", false, "panic, and write nothing")
	flag.Parse()
	n := &waits.Net{Listen: func() (net.Listener, error) { return net.Listen("tcp", "127.0.0.1:0") }, Dial: new(net.Dialer).DialContext}
	// A context that can end, as that of a server's request, and that no deferred call ends in a panic.
	ctx, _ := signal.NotifyContext(context.Background(), os.Interrupt)
	if _, err := n.Begin(ctx); err != nil {
		log.Fatal(err)
	}
	time.Sleep(time.Second) // so that each goroutine is at its wait
	if *panics {
		panic("the end of a process that leaks")
	}
	if *name == "" {
		parts := strings.Split(runtime.Version(), ".")
		*name = parts[0] + "." + parts[1]
	}
	if err := errors.Join(write(filepath.Join(*folder, *name+".txt"), 2), write(filepath.Join(*folder, *name+".debug1.txt"), 1)); err != nil {
		log.Fatal(err)
	}
}

func write(file string, debug int) error {
	var b bytes.Buffer
	if err := pprof.Lookup("goroutine").WriteTo(&b, debug); err != nil {
		return err
	}
	return os.WriteFile(file, b.Bytes(), 0o666)
}
