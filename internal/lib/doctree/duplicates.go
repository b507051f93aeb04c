package doctree

// Dup is a key that a mapping has twice: First is the key's first node, Again a later one.
type Dup struct {
	Key          string
	First, Again *Node
}

// Duplicates returns every duplicate key below n in the order of the document. A mapping that aliases repeat is
// reported once.
func Duplicates(n *Node) []Dup {
	f := dupFinder{reported: map[*Node]bool{}}
	f.walk(n)
	return f.dups
}

type dupFinder struct {
	dups     []Dup
	reported map[*Node]bool // later keys already in dups
}

func (f *dupFinder) walk(n *Node) {
	if n == nil {
		return
	}
	for _, item := range n.Items {
		f.walk(item)
	}
	// Nothing is duplicated where each pair has its own entry in the index.
	if n.index == nil || len(n.index) < len(n.Pairs) {
		f.pairs(n.Pairs)
		return
	}
	for _, p := range n.Pairs {
		f.walk(p.Value)
	}
}

func (f *dupFinder) pairs(pairs []Pair) {
	first := firstOfEach(pairs)
	for i, p := range pairs {
		if j := first(p.Key.Value); j < i && !f.reported[p.Key] {
			f.reported[p.Key] = true
			f.dups = append(f.dups, Dup{Key: p.Key.Value, First: pairs[j].Key, Again: p.Key})
		}
		f.walk(p.Value)
	}
}

// firstOfEach returns a look-up of each key's first position: a search for a few pairs, a map for many.
func firstOfEach(pairs []Pair) func(key string) int {
	if len(pairs) < indexFrom {
		return func(key string) int {
			for i, p := range pairs {
				if p.Key.Value == key {
					return i
				}
			}
			return len(pairs)
		}
	}
	first := make(map[string]int, len(pairs))
	for i, p := range pairs {
		if _, seen := first[p.Key.Value]; !seen {
			first[p.Key.Value] = i
		}
	}
	return func(key string) int { return first[key] }
}
