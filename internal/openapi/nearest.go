package openapi

import "strings"

// maxGuesses bounds how often a document can make Read search for the nearest word.
const maxGuesses = 500

// didYouMean is the hint for an unknown word, "" after too many.
func (r *reader) didYouMean(word string, known []string) string {
	if r.guesses++; r.guesses > maxGuesses {
		return ""
	}
	return "did you mean " + nearest(word, known) + "?"
}

// nearest gives the known word that takes the fewest edits to reach, where leaving out the last parts of a word with
// dashes counts as one. Case does not count.
func nearest(word string, known []string) string {
	best, least := "", 1<<30
	// What is longer than every known word is cut: the rest would only cost time.
	word = strings.ToLower(word[:min(len(word), 80)])
	for _, k := range known {
		d := edits(word, strings.ToLower(k))
		if strings.HasPrefix(k, word+"-") {
			d = 1
		}
		if d < least {
			best, least = k, d
		}
	}
	return best
}

// edits is Levenshtein's distance in bytes.
func edits(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, diagonal+1, row[j]+1)
		}
	}
	return row[len(b)]
}
