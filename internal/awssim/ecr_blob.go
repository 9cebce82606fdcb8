package awssim

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/xml"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// The blobs behind GetDownloadUrlForLayer. The real ones are presigned URLs of S3, so these
// answer as S3 does: the token in the query is all the authority there is, errors are XML.

const (
	blobPrefix   = "/_ecr/blobs/"
	blobLifetime = time.Hour
	blobDate     = "20060102T150405Z"
)

// presign returns path and query for a layer, good for an hour from now.
func (e *ecrState) presign(repository, digest string, now time.Time) string {
	path := blobPrefix + e.region.account.id + "/" + e.region.name + "/" + repository + "/" + digest
	query := url.Values{
		"X-Amz-Algorithm": {"AWS4-HMAC-SHA256"},
		"X-Amz-Date":      {now.UTC().Format(blobDate)},
		"X-Amz-Expires":   {strconv.Itoa(int(blobLifetime / time.Second))},
	}
	query.Set("X-Amz-Signature", e.blobSignature(path, query))
	return path + "?" + query.Encode()
}

func (e *ecrState) blobSignature(path string, query url.Values) string {
	mac := hmac.New(sha256.New, e.secret)
	fmt.Fprintf(mac, "%s\n%s\n%s", path, query.Get("X-Amz-Date"), query.Get("X-Amz-Expires"))
	return hex.EncodeToString(mac.Sum(nil))
}

// serveBlob answers a GET or HEAD of a presigned URL. It takes the lock itself.
func (s *Simulator) serveBlob(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		writeS3Error(w, http.StatusMethodNotAllowed, "MethodNotAllowed", "The specified method is not allowed against this resource.")
		return
	}
	data, refusal := s.blob(r.URL.Path, r.URL.Query())
	if refusal != nil {
		writeS3Error(w, refusal.status, refusal.code, refusal.message)
		return
	}
	w.Header().Set("Content-Type", "application/octet-stream")
	w.Header().Set("ETag", `"`+strings.TrimPrefix(sha256Digest(data), "sha256:")+`"`)
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(data))
}

// blob checks the token, then finds what it is for.
func (s *Simulator) blob(path string, query url.Values) ([]byte, *apiError) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.advance()
	rest, _ := strings.CutPrefix(path, blobPrefix)
	account, rest, _ := strings.Cut(rest, "/")
	region, rest, _ := strings.Cut(rest, "/")
	slash := strings.LastIndex(rest, "/")
	signature := query.Get("X-Amz-Signature")
	if signature == "" || slash < 0 {
		return nil, newError(http.StatusForbidden, "AccessDenied", "Access Denied")
	}
	a := s.accounts[account]
	if a == nil || a.regions[region] == nil || !hmac.Equal([]byte(signature), []byte(a.regions[region].ecr.blobSignature(path, query))) {
		return nil, newError(http.StatusForbidden, "SignatureDoesNotMatch",
			"The request signature we calculated does not match the signature you provided. Check your key and signing method.")
	}
	date, err := time.Parse(blobDate, query.Get("X-Amz-Date"))
	if err != nil || s.now().After(date.Add(blobLifetime)) {
		return nil, newError(http.StatusForbidden, "AccessDenied", "Request has expired")
	}
	repository := a.regions[region].ecr.repositories[rest[:slash]]
	if repository == nil || repository.layers[rest[slash+1:]] == nil {
		return nil, newError(http.StatusNotFound, "NoSuchKey", "The specified key does not exist.")
	}
	return repository.layers[rest[slash+1:]], nil
}

func writeS3Error(w http.ResponseWriter, status int, code, message string) {
	var body bytes.Buffer
	fmt.Fprintf(&body, `%s<Error><Code>%s</Code><Message>`, xml.Header, code)
	_ = xml.EscapeText(&body, []byte(message)) // a buffer takes everything
	body.WriteString("</Message></Error>")
	w.Header().Set("Content-Type", "application/xml")
	w.WriteHeader(status)
	_, _ = w.Write(body.Bytes()) // the client has gone if this fails; there is nobody to tell
}
