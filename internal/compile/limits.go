package compile

import (
	"maps"
	"slices"

	"gatehouse/internal/definition"
	v1 "gatehouse/internal/definition/v1"
	"gatehouse/internal/snapshot"
)

// stageLimit gives a stage its own bucket, or the account's.
func (c *compiler) stageLimit(stageID string, own *definition.Throttle) snapshot.Limit {
	if own == nil {
		return c.account
	}
	return limit("stage "+stageID, own)
}

// routeLimits gives the buckets of one route: its own before its stage's.
func routeLimits(stageID, key string, stage snapshot.Limit, setting v1.MethodSetting) []snapshot.Limit {
	if setting.Throttle == nil {
		return []snapshot.Limit{stage}
	}
	return []snapshot.Limit{limit("route "+stageID+"/"+key, setting.Throttle), stage}
}

// unknownSettings reports settings for methods that the API does not have.
func (c *compiler) unknownSettings(stage string, settings map[string]v1.MethodSetting, known map[string]bool) {
	for _, key := range slices.Sorted(maps.Keys(settings)) {
		if !known[key] {
			c.error("unknown-method", settings[key].Place, "name a method as the definition has it",
				"stage %s sets %s, which the API does not have", stage, key)
		}
	}
}
