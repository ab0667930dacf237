package main

import (
	"bytes"
	"encoding/json"
	"io"
	"mime"
	"net/http"
	"time"
)

// server is the deployment under test.
type server struct {
	url, tenant, adminToken string
	client                  http.Client
}

// answer is what came back over HTTP.
type answer struct {
	status int
	header http.Header
	body   []byte
}

func (s *server) do(method, path string, body []byte, header map[string]string) answer {
	request := must(http.NewRequest(method, s.url+path, bytes.NewReader(body)))
	for name, value := range header {
		request.Header.Set(name, value)
	}
	s.client.Timeout = 20 * time.Second
	response := must(s.client.Do(request))
	defer response.Body.Close()
	return answer{response.StatusCode, response.Header, must(io.ReadAll(response.Body))}
}

func (s *server) get(path string) answer {
	return s.do("GET", path, nil, nil)
}

func (s *server) postJSON(path string, body any) answer {
	return s.do("POST", path, must(json.Marshal(body)), map[string]string{"Content-Type": "application/json"})
}

// admin calls the control API; section 14.
func (s *server) admin(method, path string, body any) answer {
	header := map[string]string{"Authorization": "Bearer " + s.adminToken}
	if body == nil {
		return s.do(method, "/admin/v1/tenants/"+s.tenant+path, nil, header)
	}
	header["Content-Type"] = "application/json"
	return s.do(method, "/admin/v1/tenants/"+s.tenant+path, must(json.Marshal(body)), header)
}

// expect is the answer's body as T, if the answer has one of the statuses. A member that the page does not name is
// a promise not kept: an independent client could not know what to do with it.
func expect[T any](a answer, statuses ...int) T {
	for _, status := range statuses {
		if a.status == status {
			var value T
			decoder := json.NewDecoder(bytes.NewReader(a.body))
			decoder.DisallowUnknownFields()
			ok(decoder.Decode(&value))
			return value
		}
	}
	check(false, "status %d, expected %v: %s", a.status, statuses, a.body)
	panic("unreachable")
}

// problem is an error body; RFC 9457 and docs/ERRORS.md.
type problem struct {
	Type   string `json:"type"`
	Title  string `json:"title"`
	Status int    `json:"status"`
	Code   string `json:"code"`
	Detail string `json:"detail"`
	Field  string `json:"field"`
	Limit  int    `json:"limit"`
}

// refusal is a problem without a state of the log.
type refusal struct {
	problem
	NextCheckInSeconds int     `json:"nextCheckInSeconds"`
	RetryAfterSeconds  float64 `json:"retryAfterSeconds"`
}

// verify holds a problem to its form and gives its code.
func (p problem) verify(a answer) string {
	mediaType, _, err := mime.ParseMediaType(a.header.Get("Content-Type"))
	check(err == nil && mediaType == "application/problem+json", "an error of type %q", mediaType)
	check(p.Type == "urn:tachograph:error:"+p.Code, "the type %q of %q", p.Type, p.Code)
	check(p.Status == a.status && p.Title != "" && p.Detail != "", "an incomplete problem: %s", a.body)
	return p.Code
}

// expectRefusal is the code of an error answer.
func expectRefusal(a answer, status int) string {
	return expect[refusal](a, status).verify(a)
}
