// Command run starts the petstore example: backend and gateway, until it is told to stop.
//
// It looks first whether the ports are free, waits until both programs answer, prints what to try, and ends both on
// Ctrl-C or when one of them ends. It exits with 1 when something went wrong.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"syscall"
	"time"
)

// The addresses as gatehouse.yaml and the backend have them.
const (
	gatewayAddr    = "127.0.0.1:8080"
	managementAddr = "127.0.0.1:8081"
	backendAddr    = "127.0.0.1:9000"
)

const (
	readyWithin = 10 * time.Second
	stopWithin  = 15 * time.Second
)

const hints = `
The pet store is open. In another terminal:

  curl -i http://127.0.0.1:8080/pets -H 'x-api-key: demo-gold-key-0123456789'
  curl -i http://127.0.0.1:8080/pets
  for i in 1 2 3 4 5; do curl -s -w '\n' http://127.0.0.1:8080/pets -H 'x-api-key: demo-free-key-0123456789'; done

The first one is allowed, the second one has no key (403), and the loop runs into its limit of 2 a second (429).
Each request is a line below. Metrics: http://127.0.0.1:8081/metrics. Ctrl-C stops everything.

`

func main() {
	bin := flag.String("bin", "bin", "`folder` of gatehouse and petstore-backend")
	dir := flag.String("dir", "examples/petstore", "`folder` of gatehouse.yaml")
	flag.Parse()
	runtime.LockOSThread() // programs end with the thread that started them, see tie
	if err := run(*bin, *dir); err != nil {
		fmt.Fprintln(os.Stderr, "petstore:", err)
		os.Exit(1)
	}
}

func run(bin, dir string) error {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	defer stop()
	for _, addr := range []string{gatewayAddr, managementAddr, backendAddr} {
		if err := free(addr); err != nil {
			return err
		}
	}
	backend, err := start("the backend", filepath.Join(bin, "petstore-backend"), "-listen", backendAddr)
	if err != nil {
		return err
	}
	gateway, err := start("the gateway", filepath.Join(bin, "gatehouse"), "serve", filepath.Join(dir, "gatehouse.yaml"))
	if err != nil {
		return errors.Join(err, backend.end())
	}
	err = serve(ctx, backend, gateway)
	return errors.Join(err, gateway.end(), backend.end())
}

// serve waits until both answer, says so, and returns when ctx ends, or with an error when one of them does.
func serve(ctx context.Context, backend, gateway *program) error {
	early, cancel := context.WithTimeout(ctx, readyWithin)
	defer cancel()
	err := errors.Join(
		backend.ready(early, "http://"+backendAddr+"/health"),
		gateway.ready(early, "http://"+managementAddr+"/readyz"),
	)
	if ctx.Err() != nil {
		return nil
	}
	if err != nil {
		return err
	}
	fmt.Print(hints)
	select {
	case <-ctx.Done():
		fmt.Println()
		return nil
	case <-backend.ended:
		return backend.early()
	case <-gateway.ended:
		return gateway.early()
	}
}

// free reports whether an address can be listened on.
func free(addr string) error {
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return fmt.Errorf("%s is taken: end the program that listens there, and try again (%w)", addr, err)
	}
	return l.Close()
}

// program is one that was started. ended is closed after it ended, with err saying how.
type program struct {
	name  string
	cmd   *exec.Cmd
	ended chan struct{}
	err   error
}

// start must be called by the main goroutine.
func start(name, path string, args ...string) (*program, error) {
	p := &program{name: name, cmd: exec.Command(path, args...), ended: make(chan struct{})}
	p.cmd.Stdout, p.cmd.Stderr = os.Stdout, os.Stderr
	p.cmd.SysProcAttr = tie()
	if err := p.cmd.Start(); err != nil {
		return nil, fmt.Errorf("start %s: %w", name, err)
	}
	go func() {
		p.err = p.cmd.Wait()
		close(p.ended)
	}()
	return p, nil
}

// ready asks url until it answers 200, the program ends, or ctx does.
func (p *program) ready(ctx context.Context, url string) error {
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		if answers(ctx, url) {
			return nil
		}
		select {
		case <-p.ended:
			return p.early()
		case <-ctx.Done():
			return fmt.Errorf("%s does not answer at %s", p.name, url)
		case <-tick.C:
		}
	}
}

func answers(ctx context.Context, url string) bool {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
	if err != nil {
		return false
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return false
	}
	_ = response.Body.Close() // nothing of it was wanted
	return response.StatusCode == http.StatusOK
}

func (p *program) early() error {
	return fmt.Errorf("%s ended by itself: %v", p.name, p.cmd.ProcessState)
}

// end stops the program and waits for it; it does nothing to one that has ended.
func (p *program) end() error {
	_ = p.cmd.Process.Signal(syscall.SIGTERM) // fails only when it has ended
	select {
	case <-p.ended:
		return nil
	case <-time.After(stopWithin):
		_ = p.cmd.Process.Kill()
		<-p.ended
		return fmt.Errorf("%s did not stop within %s and was killed", p.name, stopWithin)
	}
}
