package config

import (
	"path/filepath"
	"strings"

	"gatehouse/internal/definition"
	"gatehouse/internal/lib/doctree"
	"gatehouse/internal/openapi"
)

// isDocument tells an OpenAPI document from a config.
func isDocument(root *doctree.Node) bool {
	return !root.Has("apis") && openapi.IsDocument(root)
}

// onlyDocument makes a config of a document that was named in its place.
func (d *decoder) onlyDocument(root *doctree.Node, data []byte) {
	a := &api{id: idOf(d.file.Path), node: root}
	d.document(a, d.file.Path, data)
	if !a.isRead() {
		return
	}
	d.readStages(a)
	d.keepAPI(a)
	d.file.Mappings = []definition.Mapping{{Host: "*", BasePath: "/", API: a.id, Stage: a.stages[0].name, Place: d.at(root)}}
}

// idOf makes an API's id of a file's name: Pet Store.yaml is pet-store.
func idOf(path string) string {
	base := filepath.Base(path)
	name := strings.ToLower(strings.TrimSuffix(base, filepath.Ext(base)))
	id := strings.Map(func(r rune) rune {
		if r < 0x80 && (isLetter(byte(r)) || isDigit(byte(r))) {
			return r
		}
		return '-'
	}, name)
	id = strings.Trim(id[:min(len(id), 64)], "-")
	if id == "" {
		return "api"
	}
	return id
}
