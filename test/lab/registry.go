package lab

import (
	"context"
	"fmt"
	"log"
	"net/http"
	"path"
	"path/filepath"
	"strings"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/registry"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote"
)

func registryAddress(lab int) string { return hubAddress(lab).String() + ":5000" }
func registryURL(lab int) string     { return "http://" + registryAddress(lab) }

// newRegistry returns a registry that has the blobs of a layout, and whose images are yet to be named with putImage.
// It stands for every registry there is: the image a/b of registry r is its image r/a/b.
func newRegistry(images string, errors *log.Logger) http.Handler {
	all := registry.New(registry.WithBlobHandler(registry.NewDiskBlobHandler(filepath.Join(images, "blobs"))), registry.Logger(errors))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		// A mirror is told by ?ns= which registry it is asked in place of.
		meant := r.URL.Query().Get("ns")
		if rest, ok := strings.CutPrefix(r.URL.Path, "/v2/"); ok && meant != "" {
			r.URL.Path = path.Join("/v2", meant, rest)
		}
		all.ServeHTTP(w, r)
	})
}

// putImage puts an image into the lab's registry.
func putImage(ctx context.Context, address, of string, image v1.Image) error {
	tag, err := name.NewTag(address+"/"+of, name.Insecure)
	if err != nil {
		return fmt.Errorf("image %q: %w", of, err)
	}
	return remote.Write(tag, image, remote.WithContext(ctx))
}
