package istio

import "fmt"

// guarded calls one of Istio's functions that panic where a setting does not fit the place that it names, such as
// --set values.pilot=1, and makes an error of that.
func guarded[T any](call func() (T, error)) (result T, err error) {
	defer func() {
		if reason := recover(); reason != nil {
			err = fmt.Errorf("a setting does not fit its place: %v", reason)
		}
	}()
	return call()
}
