package main

import (
	"crypto/sha256"
	"encoding/hex"

	"golang.org/x/mod/sumdb/note"
)

// invitation is the answer of GET /v1/enrolment/{tenant}; section 7.
type invitation struct {
	Authority    string   `json:"authority"`
	Challenge    string   `json:"challenge"`
	Expires      string   `json:"expires"`
	Methods      []string `json:"methods"`
	Keys         string   `json:"keys"`
	DirectiveKey string   `json:"directiveKey"`
}

// servedKeys is the answer of GET /v1/keys; section 6.
type servedKeys struct {
	Keys         string   `json:"keys"`
	DirectiveKey string   `json:"directiveKey"`
	Handovers    []string `json:"handovers"`
}

// enrolled is the answer of POST /v1/enrolment/{tenant}.
type enrolled struct {
	Device string         `json:"device"`
	Origin string         `json:"origin"`
	Status string         `json:"status"`
	Size   *int           `json:"size"`
	Keys   string         `json:"keys"`
	Limits map[string]int `json:"limits"`
}

func (s *server) invite() invitation {
	return expect[invitation](s.get("/v1/enrolment/"+s.tenant), 200)
}

// pin trusts the directive key that the server shows first; a real app would carry it.
func (i invitation) pin() *trust {
	t := &trust{authority: i.Authority, directive: must(note.NewVerifier(i.DirectiveKey)), counter: -1}
	check(t.directive.Name() == i.Authority+"/directive", "a directive key named %q", t.directive.Name())
	t.acceptKeys(i.Keys)
	return t
}

// enrol proves possession of the device's key, bound to a credential by the hash of its secret.
func (s *server) enrol(d *device, credential map[string]string, secret string) answer {
	hash := sha256.Sum256([]byte(secret))
	proof := d.sign("tachograph enrolment/v1", d.origin, s.invite().Challenge, hex.EncodeToString(hash[:]))
	return s.postJSON("/v1/enrolment/"+s.tenant, map[string]any{
		"publicKey": d.jwk(), "proof": proof, "credential": credential,
		"installation": map[string]string{"label": "Go client", "platform": "go"},
	})
}

func (s *server) enrolByToken(d *device, token string) answer {
	return s.enrol(d, map[string]string{"type": "token", "token": token}, token)
}

// succeed enrols next by a succession note that the old key signs.
func (s *server) succeed(old, next *device, reason string) answer {
	succession := old.sign("tachograph succession/v1", old.origin, next.origin, reason)
	return s.enrol(next, map[string]string{"type": "predecessor", "succession": succession}, succession)
}
