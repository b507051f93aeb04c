package compile

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"

	"gatehouse/internal/definition"
	v1 "gatehouse/internal/definition/v1"
)

const (
	extensions = "x-amazon-apigateway-"
	// ours begins the names of extensions of Gatehouse.
	ours     = "x-gatehouse-"
	endpoint = extensions + "endpoint-configuration"
)

// kept reports extensions of an API that are stored and not acted on. What is unknown, misplaced or of another kind of
// API was reported by whoever read the definition.
func (c *compiler) kept(all map[string]v1.Kept, public bool) {
	for name, k := range all {
		switch name {
		case extensions + "documentation", extensions + "importexport-version", extensions + "tag-value":
			c.withoutEffect(name, k.Place)
		case extensions + "security-policy", extensions + "endpoint-access-mode", extensions + "integrations":
			c.notServedYet(name, k.Place)
		case endpoint:
			c.endpoint(k, public)
		default:
			c.keptOurs(name, k)
		}
	}
}

// keptInside reports what is kept of an integration: only our own extensions are not reported yet.
func (c *compiler) keptInside(all map[string]v1.Kept) {
	for name, k := range all {
		c.keptOurs(name, k)
	}
}

func (c *compiler) keptOurs(name string, k v1.Kept) {
	if strings.HasPrefix(name, ours) {
		c.notServedYet(name, k.Place)
	}
}

func (c *compiler) withoutEffect(name string, at definition.Place) {
	c.diags.Add(definition.Info, "kept", at, "", "%s is kept and has no effect on serving", name)
}

func (c *compiler) notServedYet(name string, at definition.Place) {
	c.warn("not-served-yet", at, "it is kept in the definition and changes nothing", "%s is not served yet", name)
}

// endpoint reports the members of the endpoint configuration that are not honoured.
func (c *compiler) endpoint(k v1.Kept, public bool) {
	private := isPrivate(k) && !public // which private reports
	set := endpointMembers(k)
	for _, name := range slices.Sorted(maps.Keys(set)) {
		switch name {
		case "disableExecuteApiEndpoint":
		case "vpcEndpointIds", "types":
			if !private {
				c.withoutEffect(name, k.Place)
			}
		case "ipAddressType":
			c.withoutEffect(name, k.Place)
		default:
			c.notServedYet(name, k.Place)
		}
	}
}

func endpointMembers(k v1.Kept) map[string]json.RawMessage {
	var m map[string]json.RawMessage
	_ = json.Unmarshal(k.Value, &m) // what is no mapping has no members
	return m
}

// isPrivate tells whether an endpoint configuration makes its API reachable through VPC endpoints only.
func isPrivate(k v1.Kept) bool {
	m := endpointMembers(k)
	var types []string
	_ = json.Unmarshal(m["types"], &types) // absent or no list: not PRIVATE
	ids := string(m["vpcEndpointIds"])
	return ids != "" && ids != "null" && ids != "[]" || slices.Contains(types, "PRIVATE")
}

// private refuses to serve to everybody what its author made for some networks, unless the config says so.
func (c *compiler) private(op *operation, all map[string]v1.Kept, public bool) {
	if k, ok := all[endpoint]; ok && !public && isPrivate(k) {
		c.unserved(op, "private-api-not-served", k.Place,
			"the API is private to VPC endpoints, which is not served yet; `public: true` opens it to everybody")
	}
}
