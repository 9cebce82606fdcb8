package awssim

import "strings"

// match tells whether the whole of text matches a pattern in which * is any run of
// characters and ? is any one of them. The bytes anyStar and anyOne stand for a literal
// * and ? (a policy's ${*} and ${?}).
func match(pattern, text string) bool {
	p, t := 0, 0
	star, retry := -1, 0
	for t < len(text) {
		switch {
		case p < len(pattern) && pattern[p] == '*':
			star, retry = p, t
			p++
		case p < len(pattern) && (pattern[p] == '?' || literal(pattern[p]) == text[t]):
			p++
			t++
		case star >= 0:
			retry++
			p, t = star+1, retry
		default:
			return false
		}
	}
	for p < len(pattern) && pattern[p] == '*' {
		p++
	}
	return p == len(pattern)
}

// matchFold is match without regard to case, as actions are compared.
func matchFold(pattern, text string) bool {
	return match(strings.ToLower(pattern), strings.ToLower(text))
}

// matchARN matches each of the six components of an ARN by itself, so that a * does not
// reach beyond a colon; only the last, the resource, may hold colons of its own.
func matchARN(pattern, arn string) bool {
	patterns, parts := strings.SplitN(pattern, ":", 6), strings.SplitN(arn, ":", 6)
	if len(patterns) != 6 || len(parts) != 6 {
		return false
	}
	for i, p := range patterns {
		if !match(p, parts[i]) {
			return false
		}
	}
	return true
}

const (
	anyStar = '\x01'
	anyOne  = '\x02'
)

func literal(b byte) byte {
	switch b {
	case anyStar:
		return '*'
	case anyOne:
		return '?'
	default:
		return b
	}
}

// unescaped turns the stand-ins for literal wildcards back into what they stand for.
var unescaped = strings.NewReplacer(string(rune(anyStar)), "*", string(rune(anyOne)), "?")
