package config

import (
	"errors"
	"path/filepath"
	"time"

	"gatehouse/internal/definition"
	v1 "gatehouse/internal/definition/v1"
	v2 "gatehouse/internal/definition/v2"
	"gatehouse/internal/lib/doctree"
)

// File is the config as it was read, with defaults filled in. It belongs to whoever called Load.
type File struct {
	// Path is the file's name as it was given to Load.
	Path       string
	Listen     Listen
	Management Management
	// Data is the folder for what must survive a restart.
	Data string
	Log  Log
	// Account is the limit of stages that set none; nil means AWS's own.
	Account *definition.Throttle
	// ShutdownTimeout is how long requests under way may take after the daemon was told to stop.
	ShutdownTimeout time.Duration

	REST       []v1.RestAPI
	HTTP       []v2.API
	Mappings   []definition.Mapping
	Upstreams  []definition.Upstream
	UsagePlans []definition.UsagePlan
	APIKeys    []definition.APIKey

	// Files are all files that were read or should have been, Path first: a change of one of them is a change of the
	// config.
	Files []string
}

// Settings gives the file without the definitions, which are large and nobody's business once they are compiled.
func (f *File) Settings() *File {
	s := *f
	s.REST, s.HTTP, s.Mappings, s.Upstreams, s.UsagePlans, s.APIKeys = nil, nil, nil, nil, nil, nil
	return &s
}

// Load reads the config at path and everything that it names. The path may also be that of an OpenAPI document, which
// then is the only API: on stage "default" (REST) or "$default" (HTTP), for every host.
//
// All problems are reported at once, sorted by place. The File is never nil; it must not be served when there are
// errors among the diagnostics. lookupEnv answers ${NAME} as os.LookupEnv does. Load may run several times at once if
// lookupEnv may.
func Load(path string, lookupEnv func(string) (string, bool)) (*File, definition.Diagnostics) {
	d := newDecoder(path, lookupEnv)
	d.load()
	d.diags.Sort()
	return d.file, d.diags
}

func (d *decoder) load() {
	path := d.file.Path
	data, err := d.files.read(path, maxDocument)
	if err != nil {
		d.diags.Add(definition.Error, codeUnreadableFile, definition.Place{File: path},
			"check the name and the permissions", "the file cannot be read: %v", err)
		return
	}
	root, err := doctree.Parse(path, data)
	if err != nil {
		d.syntax(err)
		return
	}
	if isDocument(root) {
		d.onlyDocument(root, data)
		return
	}
	for _, dup := range doctree.Duplicates(root) {
		d.fail(codeDuplicateKey, dup.Again, "remove one of the two", "the key %s stands here a second time; the first is on line %d",
			quote(dup.Key), dup.First.Line)
	}
	d.root(root)
}

// root reads the top of the file. The order is the one in which the parts need each other.
func (d *decoder) root(n *doctree.Node) {
	f := d.file
	var data *doctree.Node
	d.mapping("the file", n, []field{
		{"listen", f.Listen.read},
		{"management", f.Management.read},
		{"data", keep(&data)},
		{"shared", notServed(definition.Error, "shared state is not served yet", "remove the key: state is kept in this process")},
		{"functions", notServed(definition.Warning, "functions are not served yet", "")},
		{"account", object(field{"throttle", throttle(&f.Account)})},
		{"log", f.Log.read},
		{"shutdown_timeout", duration(&f.ShutdownTimeout, 0, time.Hour)},
		{"apis", (*decoder).readAPIs},
		{"domains", (*decoder).readDomains},
		{"upstreams", (*decoder).readUpstreams},
		{"usage_plans", (*decoder).readPlans},
		{"api_keys", (*decoder).readKeys},
	})
	if n.Kind != doctree.Mapping {
		return
	}
	if data != nil {
		d.readData(data)
	}
	d.checkListeners()
	d.checkAPIs(n)
	d.checkPlans()
}

// syntax reports what the parser found.
func (d *decoder) syntax(err error) {
	var all doctree.Errors
	if !errors.As(err, &all) {
		d.diags.Add(definition.Error, codeSyntax, definition.Place{File: d.file.Path}, "", "%v", err)
		return
	}
	for _, e := range all {
		at := definition.Place{File: e.File, Line: e.Line, Column: e.Column}
		d.diags.Add(definition.Error, codeSyntax, at, e.Hint, "%s", e.Message)
	}
}

// defaults is a file that says nothing.
func defaults(path string) *File {
	return &File{
		Path:            path,
		Listen:          defaultListen(),
		Management:      Management{Listen: "127.0.0.1:8081"},
		Data:            filepath.Join(filepath.Dir(path), "data"),
		Log:             defaultLog(),
		ShutdownTimeout: 30 * time.Second,
	}
}
