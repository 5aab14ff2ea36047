package echo

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/metadata"
)

// MaxCount is how many measured calls a probe makes for one task.
const MaxCount = 100

// Further bounds on what a probe does, whatever it is asked.
const (
	maxTasks   = 500
	maxSettle  = time.Minute
	oneCall    = 3 * time.Second
	allCalls   = 15 * time.Second
	betweenTry = 100 * time.Millisecond
	maxAnswer  = 64 << 10
	maxAsked   = 1 << 20
)

// Run carries out tasks at once. Each first calls until it gets an answer, for at most the time to settle: right after
// a Service was made, proxies may not know it yet. Then it makes its measured calls, one after another; those that it
// does not come to within allCalls have failed.
func Run(ctx context.Context, asked Calls) ([]Report, error) {
	tasks, settle := asked.Tasks, min(asked.Settle, maxSettle)
	if len(tasks) > maxTasks {
		return nil, fmt.Errorf("%d tasks are more than the %d that a probe takes", len(tasks), maxTasks)
	}
	for _, task := range tasks {
		if task.Count > MaxCount {
			return nil, fmt.Errorf("%d calls are more than the %d that a probe makes", task.Count, MaxCount)
		}
	}
	reports := make([]Report, len(tasks))
	var running sync.WaitGroup
	for i, task := range tasks {
		running.Go(func() { reports[i] = runTask(ctx, task, settle) })
	}
	running.Wait()
	return reports, nil
}

func runTask(ctx context.Context, task Task, settle time.Duration) Report {
	report := Report{Task: task}
	settled, cancel := context.WithTimeout(ctx, settle)
	defer cancel()
	for {
		_, err := call(settled, task)
		if err == nil {
			break
		}
		if settled.Err() == nil {
			report.Error = err.Error()
		}
		select {
		case <-settled.Done():
			if report.Error == "" {
				report.Error = err.Error()
			}
			report.Failed = task.Count
			return report
		case <-time.After(betweenTry):
		}
	}
	measured, cancel := context.WithTimeout(ctx, allCalls)
	defer cancel()
	for range task.Count {
		if measured.Err() != nil {
			report.Failed++
			continue
		}
		begin := time.Now()
		answer, err := call(measured, task)
		if err != nil {
			report.Failed++
			report.Error = err.Error()
			continue
		}
		report.Answers = append(report.Answers, answer)
		report.Times = append(report.Times, time.Since(begin))
	}
	return report
}

func call(ctx context.Context, task Task) (Answer, error) {
	ctx, cancel := context.WithTimeout(ctx, oneCall)
	defer cancel()
	address := net.JoinHostPort(task.Host, strconv.Itoa(task.Protocol.Port()))
	switch task.Protocol {
	case HTTP:
		return callHTTP(ctx, address)
	case GRPC:
		return callGRPC(ctx, address)
	case TCP:
		return callTCP(ctx, address)
	}
	return Answer{}, fmt.Errorf("a probe does not speak %q", task.Protocol)
}

func callHTTP(ctx context.Context, address string) (Answer, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+address+"/", http.NoBody)
	if err != nil {
		return Answer{}, err
	}
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	response, err := client.Do(request)
	if err != nil {
		if wrapped, is := errors.AsType[*url.Error](err); is {
			err = wrapped.Err // the rest repeats what was called
		}
		return Answer{}, err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(io.LimitReader(response.Body, maxAnswer))
	if err != nil {
		return Answer{}, err
	}
	if response.StatusCode != http.StatusOK {
		return Answer{}, fmt.Errorf("HTTP %d: %s", response.StatusCode, strings.TrimSpace(string(body)))
	}
	return parse(body)
}

// callGRPC makes a health check, whose answer carries the Answer as metadata.
func callGRPC(ctx context.Context, address string) (Answer, error) {
	connection, err := grpc.NewClient("passthrough:///"+address, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		return Answer{}, err
	}
	defer connection.Close()
	var header metadata.MD
	_, err = grpc_health_v1.NewHealthClient(connection).Check(ctx, &grpc_health_v1.HealthCheckRequest{}, grpc.Header(&header))
	if err != nil {
		return Answer{}, err
	}
	said := header.Get(answerKey)
	if len(said) == 0 {
		return Answer{}, errors.New("something else than a probe answered")
	}
	return parse([]byte(said[0]))
}

func callTCP(ctx context.Context, address string) (Answer, error) {
	connection, err := (&net.Dialer{}).DialContext(ctx, "tcp", address)
	if err != nil {
		return Answer{}, err
	}
	defer connection.Close()
	if deadline, ok := ctx.Deadline(); ok {
		if err := connection.SetDeadline(deadline); err != nil {
			return Answer{}, err
		}
	}
	line, err := bufio.NewReader(io.LimitReader(connection, maxAnswer)).ReadBytes('\n')
	if err != nil {
		return Answer{}, fmt.Errorf("the connection was opened and then broke: %w", err)
	}
	return parse(line)
}

func parse(body []byte) (Answer, error) {
	var answer Answer
	if err := json.Unmarshal(body, &answer); err != nil || answer.Pod == "" {
		return answer, fmt.Errorf("something else than a probe answered: %.80q", body)
	}
	return answer, nil
}
