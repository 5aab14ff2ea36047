// Command hello is the lab's sample server, and its client.
//
//	hello                  serve http://:5000/hello, answering which version and which instance this is
//	hello get URL [COUNT]  get a URL that often, and print each answer
//	hello sleep            wait, to be called from
//
// Called as curl it gets the last argument, and called as sleep it waits, so that Istio's own samples run with it.
package main

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

func main() {
	if err := run(os.Args); err != nil {
		fmt.Fprintln(os.Stderr, "hello:", err)
		os.Exit(1)
	}
}

func run(argv []string) error {
	mode := filepath.Base(argv[0])
	args := argv[1:]
	if mode == "hello" && len(args) > 0 {
		mode, args = args[0], args[1:]
	}
	switch mode {
	case "hello":
		return serve()
	case "sleep":
		stop := make(chan os.Signal, 1)
		signal.Notify(stop, syscall.SIGTERM, syscall.SIGINT)
		<-stop
		return nil
	case "curl":
		return get(withScheme(args[max(0, len(args)-1):]))
	case "get":
		return get(args)
	}
	return fmt.Errorf("there is no %q; there are get and sleep", mode)
}

func serve() error {
	instance, err := os.Hostname()
	if err != nil {
		return err
	}
	http.HandleFunc("/hello", func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprintf(w, "Hello version: %s, instance: %s\n", os.Getenv("SERVICE_VERSION"), instance)
	})
	server := &http.Server{Addr: ":5000", ReadHeaderTimeout: 5 * time.Second}
	return server.ListenAndServe()
}

// withScheme completes a URL as curl does.
func withScheme(urls []string) []string {
	for i, url := range urls {
		if !strings.Contains(url, "://") {
			urls[i] = "http://" + url
		}
	}
	return urls
}

// get prints the answers to requests for a URL. It fails if any did, after all of them.
func get(args []string) error {
	if len(args) == 0 {
		return fmt.Errorf("which URL?")
	}
	count := 1
	if len(args) > 1 {
		var err error
		if count, err = strconv.Atoi(args[1]); err != nil {
			return fmt.Errorf("count: %w", err)
		}
	}
	client := &http.Client{Timeout: 5 * time.Second}
	failed := 0
	for range count {
		if err := getOnce(client, args[0]); err != nil {
			fmt.Println("error:", err)
			failed++
		}
	}
	if failed > 0 {
		return fmt.Errorf("%d of %d requests failed", failed, count)
	}
	return nil
}

func getOnce(client *http.Client, url string) error {
	response, err := client.Get(url) //nolint:gosec,noctx // what it is told to get is its purpose; the client has a timeout
	if err != nil {
		return err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return err
	}
	fmt.Print(string(body))
	if response.StatusCode >= http.StatusBadRequest {
		return fmt.Errorf("%s answered %s", url, response.Status)
	}
	return nil
}
