// Package openapi turns OpenAPI documents with x-amazon-apigateway-* extensions into definitions.
//
// It reads Swagger 2.0 and OpenAPI 3.0 as AWS's import does, and 3.1 with a warning, JSON or YAML. What AWS would drop is
// reported, what Gatehouse does not serve yet is kept. It stands at the very start of the control plane: it opens no
// file, checks nothing that needs more than the document, and knows neither snapshots nor requests.
package openapi

import (
	"errors"

	"gatehouse/internal/definition"
	v1 "gatehouse/internal/definition/v1"
	v2 "gatehouse/internal/definition/v2"
	"gatehouse/internal/lib/doctree"
)

// Options say what the document does not.
type Options struct {
	// ID and Name of the API; Name "" takes the document's title.
	ID   string
	Name string
	// Kind is "rest", "http" or "": then the document's extensions decide.
	Kind string
	// Backend is the URL to which operations without an integration are proxied, "" for none. An operation goes to this
	// URL plus its path as the document has it: Backend stands for the document's server, base path included.
	Backend string
	// BasePath is "ignore" (the default), "prepend" or "split", as in AWS's import.
	BasePath string
	// Public, APIKeyRequired and AnswerUnserved are set for the whole API: operations that state nothing about access
	// are open, need a key; operations that cannot be served are answered with 501.
	Public         bool
	APIKeyRequired bool
	AnswerUnserved bool
}

// API is what a document defines: exactly one of the two is set, none where the document could not be read.
type API struct {
	REST *v1.RestAPI
	HTTP *v2.API
}

// Read turns a document into a definition and returns everything that is wrong with it, sorted. The name of the file is
// only for places. With an error among the diagnostics the API may lack what the error speaks of. The result keeps no
// reference to data.
//
// Nothing is substituted in the text of a document but ${AWS::Region}, ${AWS::Partition} and ${AWS::AccountId} in the
// URIs of integrations, which become us-east-1, aws and 000000000000.
func Read(file string, data []byte, o Options) (API, definition.Diagnostics) {
	root, err := doctree.Parse(file, data)
	if err != nil {
		return API{}, unreadable(file, err)
	}
	r := newReader(file, root, o)
	api := r.read()
	r.diags.Sort()
	return api, r.diags
}

// IsDocument tells whether a document is an OpenAPI document, of whatever version, and no other YAML or JSON.
func IsDocument(root *doctree.Node) bool {
	return root.Has("openapi") || root.Has("swagger") || root.Has("paths")
}

func unreadable(file string, err error) definition.Diagnostics {
	var ds definition.Diagnostics
	var list doctree.Errors
	if !errors.As(err, &list) {
		list = doctree.Errors{{File: file, Message: err.Error()}}
	}
	for _, e := range list {
		at := definition.Place{File: file, Line: e.Line, Column: e.Column}
		ds.Add(definition.Error, codeUnreadable, at, e.Hint, "%s", e.Message)
	}
	ds.Sort()
	return ds
}
