// Package doctree reads a YAML or JSON document into one tree whose every value knows its line and column.
//
// It stands before the way of a request, at the very beginning of the way of a definition: whoever reads a file that a
// person wrote (an OpenAPI document, gatehouse.yaml, a template) reads it through this tree, so that each diagnostic can
// name a place. It keeps what the person wrote: the order of keys, duplicate keys, the source text of unquoted values
// and custom tags such as !Sub.
//
// It must not know what a document means: no gateway, no OpenAPI, no CloudFormation. It reads no file and follows no
// reference. Size, depth and the expansion of aliases are bounded, so it may be given text from strangers.
package doctree
