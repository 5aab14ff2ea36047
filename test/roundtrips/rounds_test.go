package roundtrips

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"
)

// look is how often rounds looks whether the client is idle, and looks is how often in a row it must be.
const (
	look  = 10 * time.Millisecond
	looks = 15
)

// rounds holds requests until their client can't make another one without an answer, and then lets all of them go at once.
// How many times it does so is how many requests depend on one another, however fast the machine is: a client that is slow, or is
// kept waiting for a processor, is not idle.
type rounds struct {
	// busy says whether the client computes.
	busy func() bool

	mu       sync.Mutex
	held     []*held
	underWay int
	// stirred is true when a byte went from or to the client since the last look.
	stirred bool
	// made are the requests, by round.
	made [][]string
}

// held is a request that waits for its round.
type held struct {
	request string
	release chan struct{}
}

// run lets rounds go until ctx ends.
func (r *rounds) run(ctx context.Context) {
	ticker := time.NewTicker(look)
	defer ticker.Stop()
	for idle := 0; ; {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		if !r.idle() {
			idle = 0
			continue
		}
		idle++
		if idle == looks {
			r.release()
			idle = 0
		}
	}
}

// idle is true when the client has nothing to do but to wait for requests that are held.
func (r *rounds) idle() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	idle := len(r.held) > 0 && r.underWay == 0 && !r.stirred && !r.busy()
	r.stirred = false
	return idle
}

func (r *rounds) release() {
	r.mu.Lock()
	defer r.mu.Unlock()
	var requests []string
	for _, h := range r.held {
		requests = append(requests, h.request)
		close(h.release)
	}
	slices.Sort(requests)
	r.made = append(r.made, requests)
	r.underWay += len(r.held)
	r.held = nil
}

// wait holds a request until its round begins; false where its client no longer waits for it.
func (r *rounds) wait(ctx context.Context, request string) bool {
	h := &held{request: request, release: make(chan struct{})}
	r.mu.Lock()
	r.held = append(r.held, h)
	r.mu.Unlock()
	select {
	case <-h.release:
		return true
	case <-ctx.Done():
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if i := slices.Index(r.held, h); i >= 0 {
		r.held = slices.Delete(r.held, i, i+1)
	} else { // released meanwhile
		r.underWay--
	}
	return false
}

// end notes that a request which was let go has its answer.
func (r *rounds) end() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.underWay--
}

func (r *rounds) stir() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.stirred = true
}

// count is how many rounds there were, but for those that are not a command's own pace: in which waits ask again what they have
// asked already, which is as often as the clusters need for what is waited for, or a lease is renewed.
func (r *rounds) count() int {
	count := 0
	for i := range r.made {
		if !r.passing(i) {
			count++
		}
	}
	return count
}

func (r *rounds) passing(i int) bool {
	return !slices.ContainsFunc(r.made[i], func(request string) bool { return !renews(request) && !r.asksAgain(i, request) })
}

// renews is true for a request that keeps a lease, which is made every few seconds.
func renews(request string) bool {
	return strings.Contains(request, "/leases/") && (strings.Contains(request, " GET ") || strings.Contains(request, " PUT "))
}

// asksAgain is true for a request of a wait that it has made before, since the write whose effect it waits for.
func (r *rounds) asksAgain(i int, request string) bool {
	for wait, write := range waits() {
		if !strings.Contains(request, wait) {
			continue
		}
		for _, round := range slices.Backward(r.made[:i]) {
			if slices.ContainsFunc(round, func(made string) bool { return strings.Contains(made, write) }) {
				return false
			}
			if slices.Contains(round, request) {
				return true
			}
		}
	}
	return false
}

// waits are the requests that waits make until the answer is the one that they wait for, with the write whose effect that is.
func waits() map[string]string {
	const (
		core   = "/api/v1/namespaces/istio-system/"
		token  = core + "secrets/istio-reader-service-account-istio-remote-secret-token"
		secret = "PATCH " + core + "secrets/istio-remote-secret-"
	)
	return map[string]string{
		"GET " + token: "PATCH " + token,
		"GET /apis/networking.istio.io/v1/namespaces/istio-system/workloadentries?limit=1":     "PATCH /apis/apiextensions.k8s.io/",
		"GET " + core + "pods?fieldSelector=status.phase%3DRunning&labelSelector=app%3Distiod": secret,
		"GET " + core + "pods/istiod-": secret,
		"GET /apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations?labelSelector=app%3Dsidecar-injector%2Cistio.io%2Frev%3Ddefault": secret,
		"GET " + core + "configmaps/istio-ca-root-cert":   secret,
		"POST /api/v1/namespaces/default/pods?dryRun=All": secret,
	}
}

// String lists the requests of each round.
func (r *rounds) String() string {
	var text strings.Builder
	for i, requests := range r.made {
		again := ""
		if r.passing(i) {
			again = ", not counted"
		}
		fmt.Fprintf(&text, "round %d%s\n  %s\n", i+1, again, strings.Join(requests, "\n  "))
	}
	return text.String()
}

// computes is true while a thread of a process runs, or would if it had a processor, or waits for a disk.
func computes(pid int) bool {
	threads, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/stat", pid))
	return slices.ContainsFunc(threads, func(thread string) bool {
		stat, err := os.ReadFile(thread)
		if err != nil {
			return false // it has ended
		}
		_, state, _ := strings.Cut(string(stat[strings.LastIndexByte(string(stat), ')'):]), " ")
		return strings.HasPrefix(state, "R") || strings.HasPrefix(state, "D")
	})
}
