package cluster

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"syscall"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	utilnet "k8s.io/apimachinery/pkg/util/net"
	"k8s.io/client-go/kubernetes/scheme"
)

// FaultError says that a request got no answer from the API server, or only that it can't answer now. It does not unwrap to
// its cause, and has other words: client-go would make the request again, each second.
type FaultError struct {
	words    string
	attempts int
	// silent is true when nobody said anything, unsent when the request was not sent, local when the fault is here, and
	// said when the API server itself says that it can't answer now, misanswered when somebody answered in its place.
	silent, unsent, local, said, misanswered bool
}

// Error says what happened, without the addresses and ports that differ from request to request.
func (e *FaultError) Error() string {
	if e.attempts > 1 {
		return fmt.Sprintf("%s (%d attempts)", e.words, e.attempts)
	}
	return e.words
}

// Timeout and Temporary make it a net.Error.
func (e *FaultError) Timeout() bool { return e.silent }

// Temporary is true: another time it may be otherwise.
func (*FaultError) Temporary() bool { return true }

// PluginError says that the kubeconfig's credential plugin had not ended when the request's time had.
type PluginError struct {
	// Command is the plugin's.
	Command string
	// Err is why it was waited for no longer.
	Err error
}

// Error names the plugin.
func (e *PluginError) Error() string {
	return fmt.Sprintf("the kubeconfig's credential plugin %q has not answered: %v", e.Command, e.Err)
}

// Unwrap returns why it was waited for no longer.
func (e *PluginError) Unwrap() error { return e.Err }

// Answered is true for an error that is the API server's own, definite answer: not one of a proxy on the way to it, nor
// its word that it can't answer now. That a webhook failed is an answer.
func Answered(err error) bool {
	var status apierrors.APIStatus
	if !errors.As(err, &status) || apierrors.IsUnexpectedServerError(err) || status.Status().Reason == metav1.StatusReasonUnknown {
		return false
	}
	code := status.Status().Code
	return code < http.StatusInternalServerError && code != http.StatusTooManyRequests || ofWebhook(status.Status().Message)
}

// Unanswered is true for an error of a request to which the API server gave no definite answer.
func Unanswered(err error) bool {
	var (
		status  apierrors.APIStatus
		network net.Error
		plugin  *PluginError
	)
	return !Answered(err) && (errors.As(err, &status) || errors.As(err, &network) || errors.As(err, &plugin))
}

// OfThisMachine is true for an error whose cause is here: another machine would not have it.
func OfThisMachine(err error) bool {
	if fault, is := errors.AsType[*FaultError](err); is {
		return fault.local
	}
	return local(err)
}

// Misanswered is true for an error that says that somebody answered in the API server's place, or that it can't now.
func Misanswered(err error) bool {
	fault, is := errors.AsType[*FaultError](err)
	return is && fault.misanswered
}

// ofWebhook is true for what an API server says of an admission webhook that failed it.
func ofWebhook(message string) bool {
	return strings.Contains(message, "calling webhook") || strings.Contains(message, "admission webhook")
}

// Reason is an error in the words of its cause, without what was asked of whom, which its reader knows; who asks for many
// things hears the same of each.
func Reason(err error) string {
	if asked, is := errors.AsType[*url.Error](err); is {
		err = asked.Err
	}
	return cmp.Or(err.Error(), string(apierrors.ReasonForError(err)))
}

// noAnswer is the fault of a request, or of one attempt, that got no answer in time.
func noAnswer(limit time.Duration) *FaultError {
	return &FaultError{silent: true, words: fmt.Sprintf("no answer within %s", limit)}
}

// ended is why ctx has ended: a time limit of ours has words of its own.
func ended(ctx context.Context) error {
	if fault, is := errors.AsType[*FaultError](context.Cause(ctx)); is {
		return fault
	}
	return ctx.Err()
}

// failed tells why an attempt failed. What another attempt would not change stays as it is.
func failed(ctx context.Context, err error) error {
	operation, ofConnection := errors.AsType[*net.OpError](err)
	dns, ofDNS := errors.AsType[*net.DNSError](err)
	fault := &FaultError{unsent: ofConnection && operation.Op == "dial", local: local(err)}
	late, is := errors.AsType[net.Error](err)
	fault.silent = is && late.Timeout()
	switch {
	case ctx.Err() != nil:
		return ended(ctx)
	case ofDNS && dns.IsNotFound:
		return err
	case ofConnection && operation.Op == "proxyconnect":
		fault.unsent, fault.words = true, "the proxy can't be reached: "+operation.Err.Error()
	case ofDNS:
		fault.unsent, fault.words = true, dns.Error()
	case utilnet.IsConnectionRefused(err):
		fault.words = "the connection is refused"
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, syscall.EPIPE), utilnet.IsConnectionReset(err),
		utilnet.IsProbableEOF(err), utilnet.IsHTTP2ConnectionLost(err), strings.Contains(err.Error(), "stream error"):
		fault.words = "the connection was closed before an answer came"
	case ofConnection && !strings.HasSuffix(operation.Op, " error"): // "remote error" and "local error" are TLS alerts
		fault.words = operation.Op + ": " + operation.Err.Error()
	case fault.silent:
		fault.words = err.Error()
	default:
		return err
	}
	return fault
}

// local is true for an error that this machine makes by itself.
func local(err error) bool {
	dns, ofDNS := errors.AsType[*net.DNSError](err)
	operation, is := errors.AsType[*net.OpError](err)
	switch {
	case ofDNS:
		return !dns.IsNotFound
	case is && operation.Op == "proxyconnect":
		return true
	}
	for _, ours := range []syscall.Errno{syscall.EMFILE, syscall.ENFILE, syscall.ENETUNREACH, syscall.ENETDOWN, syscall.EADDRNOTAVAIL, syscall.ENOBUFS} {
		if errors.Is(err, ours) {
			return true
		}
	}
	return false
}

// judge tells of a response whether it is the API server's answer.
func judge(request *http.Request, response *http.Response, body []byte) error {
	ofServer := response.StatusCode >= http.StatusInternalServerError
	html := strings.HasPrefix(response.Header.Get("Content-Type"), "text/html") && response.StatusCode/100 != 3
	if !ofServer && !html || response.Header.Get("Retry-After") != "" { // client-go honours that
		return nil
	}
	object, _, err := scheme.Codecs.UniversalDeserializer().Decode(body, nil, nil)
	status, is := object.(*metav1.Status)
	switch {
	case err != nil || !is:
		return &FaultError{misanswered: true, words: fmt.Sprintf("HTTP %d and no word from the API server: does a proxy on the way to it answer?", response.StatusCode)}
	case ofWebhook(status.Message), status.Reason == metav1.StatusReasonTimeout && request.URL.Query().Has("timeout"):
		return nil
	}
	return &FaultError{words: cmp.Or(status.Message, fmt.Sprintf("HTTP %d", response.StatusCode)), said: true}
}

// withKind gives a Status the kind that the API server leaves out where a time limit ends a request: nobody would know it
// (baseTimeoutWriter in k8s.io/apiserver/pkg/server/filters/timeout.go).
func withKind(response *http.Response, body []byte) []byte {
	var status metav1.Status
	if response.StatusCode < http.StatusInternalServerError || json.Unmarshal(body, &status) != nil || status.Kind != "" || status.Status != metav1.StatusFailure {
		return body
	}
	status.TypeMeta = metav1.TypeMeta{APIVersion: "v1", Kind: "Status"}
	whole, err := json.Marshal(status)
	if err != nil {
		return body
	}
	response.Header.Set("Content-Type", "application/json")
	response.ContentLength = int64(len(whole))
	return whole
}

// abortedLate is true where an API server resets the stream of a request once the time is over that the request gives it:
// so it ends one whose answer it has begun (baseTimeoutWriter.timeout, see withKind).
func abortedLate(request *http.Request, err error, took time.Duration) bool {
	given, none := time.ParseDuration(request.URL.Query().Get("timeout"))
	return none == nil && took >= given && strings.Contains(err.Error(), "stream error")
}

// timedOut is what an API server says of a request whose time is over.
func timedOut(request *http.Request) (*http.Response, error) {
	status := apierrors.NewTimeoutError("request did not complete within requested timeout", 0).Status()
	status.TypeMeta = metav1.TypeMeta{APIVersion: "v1", Kind: "Status"}
	body, err := json.Marshal(status)
	if err != nil {
		return nil, err
	}
	return &http.Response{
		Status: "504 Gateway Timeout", StatusCode: http.StatusGatewayTimeout, Proto: "HTTP/2.0", ProtoMajor: 2,
		Header: http.Header{"Content-Type": {"application/json"}}, ContentLength: int64(len(body)),
		Body: io.NopCloser(bytes.NewReader(body)), Request: request,
	}, nil
}

// repeatable is true for a request that changes nothing, or as little twice as once.
func repeatable(r *http.Request) bool {
	if streams(r) || r.Body != nil && r.Body != http.NoBody && r.GetBody == nil {
		return false
	}
	switch r.Method {
	case http.MethodGet, http.MethodHead, http.MethodDelete: // what is gone already is not found, which callers expect
		return true
	case http.MethodPatch:
		kind := types.PatchType(r.Header.Get("Content-Type"))
		return kind == types.ApplyPatchType || kind == types.MergePatchType
	case http.MethodPost:
		return keepsNothing(r)
	}
	return false
}

// keepsNothing is true for a question: a dry run, or one about permissions.
func keepsNothing(r *http.Request) bool {
	return r.URL.Query().Get("dryRun") == metav1.DryRunAll || strings.HasSuffix(r.URL.Path, "accessreviews")
}

// streams is true for a request whose answer has no end of its own, or is none of HTTP.
func streams(r *http.Request) bool {
	query := r.URL.Query()
	return query.Get("watch") == "true" || query.Get("follow") == "true" || r.Header.Get("Upgrade") != ""
}

// silenceOf is how long a request's first attempt may stay without a sign of life.
func silenceOf(r *http.Request) time.Duration {
	if given, err := time.ParseDuration(r.URL.Query().Get("timeout")); err == nil {
		return given + readSilence/2 // the API server itself ends it
	}
	if r.Method == http.MethodGet || r.Method == http.MethodPost {
		return readSilence
	}
	return writeSilence
}
