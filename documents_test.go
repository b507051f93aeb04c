package gatehouse_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"gatehouse/internal/daemon"
	"gatehouse/internal/publish"
)

// markdown gives all pages of the repository and their text.
func markdown(t *testing.T) map[string]string {
	t.Helper()
	out := map[string]string{}
	err := filepath.WalkDir(".", func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && name != "." && strings.HasPrefix(d.Name(), ".") {
			return fs.SkipDir
		}
		if d.IsDir() || filepath.Ext(name) != ".md" {
			return nil
		}
		text, err := os.ReadFile(name)
		out[name] = string(text)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

var (
	link    = regexp.MustCompile(`\]\(([^)\s]+)\)`)
	fenced  = regexp.MustCompile("(?s)```.*?```|`[^`\n]*`")
	heading = regexp.MustCompile(`(?m)^#+ (.*)$`)
	noSlug  = regexp.MustCompile(`[^\p{L}\p{N} _-]`)
)

func TestLinksLeadSomewhere(t *testing.T) {
	pages := markdown(t)
	for _, name := range sortedKeys(pages) {
		for _, m := range link.FindAllStringSubmatch(fenced.ReplaceAllString(pages[name], ""), -1) {
			target, anchor, _ := strings.Cut(m[1], "#")
			if strings.Contains(target, "://") {
				continue
			}
			path := name
			if target != "" {
				path = filepath.Join(filepath.Dir(name), target)
			}
			if _, err := os.Stat(path); err != nil {
				t.Errorf("%s: the link %s leads nowhere", name, m[1])
			} else if anchor != "" && !anchors(pages[path])[anchor] {
				t.Errorf("%s: the page behind %s has no such heading", name, m[1])
			}
		}
	}
}

// anchors gives the names under which headings can be linked.
func anchors(page string) map[string]bool {
	out := map[string]bool{}
	for _, m := range heading.FindAllStringSubmatch(page, -1) {
		out[strings.ReplaceAll(noSlug.ReplaceAllString(strings.ToLower(m[1]), ""), " ", "-")] = true
	}
	return out
}

// clean reads a config and fails the test when there is anything to say about it.
func clean(t *testing.T, path string, env publish.LookupEnv) publish.Result {
	t.Helper()
	r := publish.Read(path, env, time.Now())
	for _, d := range r.Diagnostics {
		t.Errorf("%v", d)
	}
	return r
}

func TestExampleHasNothingToSay(t *testing.T) {
	r := clean(t, "examples/petstore/gatehouse.yaml", os.LookupEnv)
	if len(r.Snapshot.Routes) != 6 || r.Snapshot.Keys.Len() != 2 {
		t.Errorf("the example has %d routes and %d keys; its README says 6 and 2", len(r.Snapshot.Routes), r.Snapshot.Keys.Len())
	}
}

// TestReadmeExplainsAsTheCommandDoes compares what README shows with what is printed.
func TestReadmeExplainsAsTheCommandDoes(t *testing.T) {
	r := clean(t, "examples/petstore/gatehouse.yaml", os.LookupEnv)
	text, ok, err := daemon.Explain(t.Context(), r.Snapshot, daemon.Question{Host: "localhost", Method: "GET", Target: "/pets/7"})
	if err != nil || !ok {
		t.Fatalf("explain: found %t, error %v", ok, err)
	}
	if !strings.Contains(markdown(t)["README.md"], text) {
		t.Errorf("README.md does not show what `gatehouse explain GET /pets/7` prints:\n%s", text)
	}
}

var yamlBlock = regexp.MustCompile("(?s)```yaml\n(.*?)```")

// TestReadmeConfigWorks puts the YAML of README together and reads it.
func TestReadmeConfigWorks(t *testing.T) {
	blocks := yamlBlock.FindAllStringSubmatch(markdown(t)["README.md"], -1)
	if len(blocks) != 2 {
		t.Fatalf("README.md has %d blocks of YAML; this test knows of an API and of its keys", len(blocks))
	}
	dir := t.TempDir()
	for name, text := range map[string]string{
		"gatehouse.yaml": blocks[0][1] + blocks[1][1],
		"shop.yaml": `{openapi: 3.0.3, info: {title: Shop, version: "1"}, paths: {/items: {
			get: {responses: {"200": {description: All items.}}, x-amazon-apigateway-integration:
				{type: http_proxy, httpMethod: GET, uri: "http://shop.internal/items"}},
			post: {responses: {"201": {description: The new item.}}}}}}`,
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(strings.ReplaceAll(text, "\t", "  ")), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	clean(t, filepath.Join(dir, "gatehouse.yaml"), func(name string) (string, bool) {
		return "a-value-for-this-test-only", name == "ALICE_KEY"
	})
}
