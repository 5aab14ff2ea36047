package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"text/template"
)

// release is what the template can name.
type release struct {
	TagName string
}

// fill makes the manifest of the template, in the way of krew-release-bot: .TagName is the tag, and addURIAndSha gives
// an archive's address, itself a template, and its sum. The bot downloads the archive; here, sum knows it by its name.
func fill(text, tag string, sum func(archive string) (string, error)) ([]byte, error) {
	addURIAndSha := func(address, tag string) (string, error) {
		uri, err := execute(address, nil, release{tag})
		if err != nil {
			return "", err
		}
		sha, err := sum(path.Base(string(uri)))
		if err != nil {
			return "", fmt.Errorf("the sum of %s: %w", uri, err)
		}
		return fmt.Sprintf("uri: %s\n    sha256: %s", uri, sha), nil
	}
	return execute(text, template.FuncMap{"addURIAndSha": addURIAndSha}, release{tag})
}

func execute(text string, functions template.FuncMap, data any) ([]byte, error) {
	parsed, err := template.New("manifest").Funcs(functions).Parse(text)
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	err = parsed.Execute(&out, data)
	return out.Bytes(), err
}

// sumIn gives the SHA-256 sums of files in a folder.
func sumIn(folder string) func(name string) (string, error) {
	return func(name string) (string, error) {
		file, err := os.Open(filepath.Join(folder, name))
		if err != nil {
			return "", err
		}
		defer file.Close()
		hash := sha256.New()
		if _, err := io.Copy(hash, file); err != nil {
			return "", err
		}
		return hex.EncodeToString(hash.Sum(nil)), nil
	}
}
