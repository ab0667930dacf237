package main

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"strings"
	"time"

	tnote "github.com/transparency-dev/formats/note"
	"golang.org/x/mod/sumdb/note"
)

// device is one key pair, and so one log: PROTOCOL.md section 1.
type device struct {
	private ed25519.PrivateKey
	id      string
	origin  string
	signer  note.Signer
}

// newDevice names the device of a key, in the tenant of an authority.
func newDevice(authority, tenant string, seed []byte) *device {
	private := ed25519.NewKeyFromSeed(seed)
	public := private.Public().(ed25519.PublicKey)
	x := base64.RawURLEncoding.EncodeToString(public)
	thumbprint := sha256.Sum256([]byte(`{"crv":"Ed25519","kty":"OKP","x":"` + x + `"}`))
	id := base64.RawURLEncoding.EncodeToString(thumbprint[:])
	origin := authority + "/" + tenant + "/" + id
	skey := fmt.Sprintf("PRIVATE+KEY+%s+%08x+%s", origin, keyID(origin, 0x01, public),
		base64.StdEncoding.EncodeToString(append([]byte{0x01}, seed...)))
	return &device{private: private, id: id, origin: origin, signer: must(note.NewSigner(skey))}
}

// jwk is the public key as enrolment and restoring send it.
func (d *device) jwk() map[string]string {
	x := base64.RawURLEncoding.EncodeToString(d.private.Public().(ed25519.PublicKey))
	return map[string]string{"kty": "OKP", "crv": "Ed25519", "x": x}
}

// sign makes a note of the lines.
func (d *device) sign(lines ...string) string {
	text := strings.Join(lines, "\n") + "\n"
	return string(must(note.Sign(&note.Note{Text: text}, d.signer)))
}

func keyID(name string, kind byte, public []byte) uint32 {
	sum := sha256.Sum256(append([]byte(name+"\n"+string([]byte{kind})), public...))
	return binary.BigEndian.Uint32(sum[:])
}

// openStatement verifies a note of ours and gives the values behind its first line.
func openStatement(signed, kind string, verifiers ...note.Verifier) []string {
	opened := must(note.Open([]byte(signed), note.VerifierList(verifiers...)))
	lines := strings.Split(strings.TrimSuffix(opened.Text, "\n"), "\n")
	check(lines[0] == kind, "a note %q stands where %q should", lines[0], kind)
	return lines[1:]
}

// trust is what the client knows of the authority's keys.
type trust struct {
	authority string
	directive note.Verifier
	counter   int
	cosigners []note.Verifier
	lease     []note.Verifier
}

// acceptKeys takes a keys note over, if it is newer than the one held; section 6.
func (t *trust) acceptKeys(signed string) {
	lines := openStatement(signed, "tachograph keys/v1", t.directive)
	check(lines[0] == t.authority, "keys of the authority %q", lines[0])
	var counter int
	must(fmt.Sscanf(lines[1], "%d", &counter))
	if counter <= t.counter {
		return
	}
	t.counter, t.cosigners, t.lease = counter, nil, nil
	for _, vkey := range lines[2:] {
		switch name, _, _ := strings.Cut(vkey, "+"); name {
		case t.authority + "/ingest":
			t.cosigners = append(t.cosigners, must(tnote.NewVerifierForCosignatureV1(vkey)))
		case t.authority + "/lease":
			t.lease = append(t.lease, must(note.NewVerifier(vkey)))
		}
	}
}

// wireTime is a time as the notes and the events spell it.
func wireTime(t time.Time) string {
	return t.UTC().Format("2006-01-02T15:04:05.000Z")
}
