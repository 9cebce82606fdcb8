package awssim

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"time"
)

// decodeStrictly reads one JSON document of the admin API: unknown members and trailing
// text are errors.
func decodeStrictly(data []byte, into any) error {
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(into); err != nil {
		if err == io.EOF {
			return fmt.Errorf("the document is empty")
		}
		return err
	}
	if _, err := decoder.Token(); err != io.EOF {
		return fmt.Errorf("there is text after the JSON document")
	}
	return nil
}

// span is a duration in JSON, spelled as Go does: "250ms".
type span time.Duration

func (d span) MarshalText() ([]byte, error) { return []byte(time.Duration(d).String()), nil }

func (d *span) UnmarshalText(text []byte) error {
	parsed, err := time.ParseDuration(string(text))
	if err != nil {
		return fmt.Errorf(`%q is no duration; write it like "250ms"`, text)
	}
	if parsed < 0 {
		return fmt.Errorf("duration %q is negative", text)
	}
	*d = span(parsed)
	return nil
}
