package config

import "strings"

// maxCompared is the longest name, in bytes, for which a nearest one is looked for.
const maxCompared = 256

// nearest gives the candidate that was most likely meant, or "" when none is near. Of equally near ones it gives the first.
func nearest(name string, candidates []string) string {
	if len(name) > maxCompared {
		return ""
	}
	name = strings.ToLower(name)
	best, least := "", min(max(1, len(name)/3)+1, len(name))
	for _, c := range candidates {
		if len(c) > maxCompared || max(len(c), len(name))-min(len(c), len(name)) >= least {
			continue
		}
		if d := distance(name, strings.ToLower(c)); d < least {
			best, least = c, d
		}
	}
	return best
}

// nearestHint is the hint with the nearest candidate, if there is one.
func nearestHint(name string, candidates []string) string {
	if c := nearest(name, candidates); c != "" {
		return "did you mean " + quote(c) + "?"
	}
	return ""
}

// didYouMean is the hint with the nearest candidate, or with all of them if they are few.
func didYouMean(name string, candidates []string) string {
	if hint := nearestHint(name, candidates); hint != "" {
		return hint
	}
	if len(candidates) == 0 || len(candidates) > 20 {
		return ""
	}
	return "known: " + strings.Join(candidates, ", ")
}

// distance is the number of bytes to insert, remove, replace or swap with their neighbour to make b of a.
func distance(a, b string) int {
	before, last, row := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := 1; i <= len(a); i++ {
		before, last, row = last, row, before
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			row[j] = min(last[j]+1, row[j-1]+1, last[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
	}
	return row[len(b)]
}
