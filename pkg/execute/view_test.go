package execute

import (
	"errors"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

func TestViews(t *testing.T) {
	t.Parallel()
	says := func(statuses ...string) []view {
		var views []view
		for i, status := range statuses {
			views = append(views, view{pod: "istiod-" + string(rune('a'+i)), status: status})
		}
		return views
	}
	deaf := append(says("synced"), view{pod: "istiod-b", err: errors.New("connection refused")})
	for _, test := range []struct {
		name       string
		judge      func([]view) (bool, string, syncState)
		views      []view
		done       bool
		seen       string
		inProgress syncState
	}{
		{"no pod", synced, nil, false, "no istiod pod runs", inProgress},
		{"not listed", synced, says(""), false, "istiod-a does not list it yet", overdue},
		{"being read", synced, says("syncing"), false, "istiod-a says: syncing", inProgress},
		{"closed", synced, says("closed"), false, "istiod-a says: closed, it has stopped watching the cluster", stoppedWatching},
		{"timeout", synced, says("timeout"), false, "istiod-a says: timeout, it could not read the cluster yet", unreachable},
		{"synced", synced, says("synced"), true, "synced", inProgress},
		{"one of two", synced, says("synced", ""), false, "istiod-b does not list it yet", overdue},
		{"both", synced, says("synced", "synced"), true, "synced, all 2 replicas", inProgress},
		{"one that can't be asked", synced, deaf, false, "istiod-b can't be asked: connection refused", inProgress},
		{"no pod to forget", forgotten, nil, true, "forgotten", inProgress},
		{"forgotten", forgotten, says("", ""), true, "forgotten", inProgress},
		{"not forgotten", forgotten, says("", "synced"), false, "istiod-b still has it: synced", overdue},
		{"closed and not forgotten", forgotten, says("closed"), false, "istiod-a still has it: closed", stoppedWatching},
		{"one that can't be asked to forget", forgotten, deaf[1:], false, "istiod-b can't be asked: connection refused", inProgress},
	} {
		done, seen, what := test.judge(test.views)
		if done != test.done || seen != test.seen || what != test.inProgress {
			t.Errorf("%s: %v, %q, %v; want %v, %q, %v", test.name, done, seen, what, test.done, test.seen, test.inProgress)
		}
	}
}

// An istiod pod that is about to end is not asked.
func TestViewsOfPodsThatEnd(t *testing.T) {
	t.Parallel()
	now := metav1.NewTime(time.Unix(1, 0))
	going := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: "istiod-a", Namespace: "istio-system", DeletionTimestamp: &now, Finalizers: []string{"x"},
		Labels: map[string]string{"app": "istiod", "istio.io/rev": "default"}}}
	e := &Executor{}
	e.Mesh.Namespace = "istio-system"
	views, err := e.views(t.Context(), faked(going), "west")
	if err != nil || len(views) != 0 {
		t.Errorf("got %v, %v", views, err)
	}
}
