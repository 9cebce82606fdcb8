package awssim

import (
	"cmp"
	"encoding/base64"
	"slices"
	"strings"
)

// ecsPaging is the part of a request that asks for one page of a list.
type ecsPaging struct {
	MaxResults *int    `json:"maxResults"`
	NextToken  *string `json:"nextToken"`
}

// ecsPage cuts the page out of items, which are sorted by key here. A token holds the last
// key of the page before, so that pages stay right while the list changes. usual is the size
// of a page when the request does not say; 100 is the most it can ask for.
func ecsPage[T any](items []T, key func(T) string, descending bool, p ecsPaging, usual int) ([]T, string, error) {
	size := usual
	if p.MaxResults != nil {
		size = *p.MaxResults
		if size < 1 || size > 100 {
			return nil, "", invalidParameter("maxResults must be between 1 and 100.")
		}
	}
	order := func(a, b string) int {
		if descending {
			return cmp.Compare(b, a)
		}
		return cmp.Compare(a, b)
	}
	slices.SortFunc(items, func(a, b T) int { return order(key(a), key(b)) })
	if p.NextToken != nil && *p.NextToken != "" {
		raw, err := base64.RawURLEncoding.DecodeString(*p.NextToken)
		last, ok := strings.CutPrefix(string(raw), "after:")
		if err != nil || !ok {
			return nil, "", invalidParameter("Invalid token")
		}
		i, found := slices.BinarySearchFunc(items, last, func(item T, last string) int { return order(key(item), last) })
		if found {
			i++
		}
		items = items[i:]
	}
	if len(items) <= size {
		return items, "", nil
	}
	token := base64.RawURLEncoding.EncodeToString([]byte("after:" + key(items[size-1])))
	return items[:size], token, nil
}
