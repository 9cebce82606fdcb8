package probe

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"time"
)

// plainError is a sentence of ours.
type plainError struct {
	said string
	// seen is the same without what differs from one address to the next; "": nothing does.
	seen string
	// absent and refused are of a host that has no address, and of one that has none which may be dialled.
	absent, refused bool
}

func (e *plainError) Error() string { return e.said }

// unreadable stands for what net/http says of an answer, which quotes it.
const unreadable = "what came back is not an HTTP answer that can be read"

// told is an error in words that hold nothing of what was answered, but what a certificate says
// of itself. An error that is none of those known is told otherwise.
func told(err error, otherwise string) string {
	var (
		ours    *plainError
		lookup  *net.DNSError
		op      *net.OpError
		invalid *tls.CertificateVerificationError
		expired x509.CertificateInvalidError
		record  tls.RecordHeaderError
	)
	switch {
	case errors.As(err, &ours):
		return ours.said
	case errors.As(err, &lookup):
		return toldLookup(lookup)
	case errors.As(err, &expired) && expired.Reason == x509.Expired && expired.Cert != nil:
		// What it says of itself has the time of day in it.
		return fmt.Sprintf("tls: failed to verify certificate: it is valid from %s to %s",
			expired.Cert.NotBefore.UTC().Format(time.RFC3339), expired.Cert.NotAfter.UTC().Format(time.RFC3339))
	case errors.As(err, &invalid):
		return invalid.Error()
	case errors.As(err, &record):
		return "it does not speak TLS: " + record.Msg
	case errors.As(err, &op) && op.Op == "dial":
		return op.Err.Error()
	case errors.As(err, &op):
		return op.Op + ": " + op.Err.Error()
	case errors.Is(err, context.Canceled):
		return "called off"
	case errors.Is(err, context.DeadlineExceeded):
		return "no answer in time"
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return "the connection was closed without an answer"
	case strings.HasPrefix(err.Error(), "tls: "):
		return err.Error()
	}
	return otherwise
}

// toldLookup is what went wrong with a look-up, without the addresses of those who were asked.
func toldLookup(err *net.DNSError) string {
	switch {
	case err.IsNotFound:
		return "no such host"
	case err.IsTimeout:
		return "the resolver did not answer in time"
	}
	return "the resolver does not answer"
}
