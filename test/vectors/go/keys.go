package main

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"strings"

	fnote "github.com/transparency-dev/formats/note"
	"golang.org/x/mod/sumdb/note"
)

const authority = "audit.example.com"

// key is a pair made of a seed of 32 equal bytes.
type key struct {
	name    string
	seed    []byte
	private ed25519.PrivateKey
	public  ed25519.PublicKey
}

func newKey(seedByte byte, name string) key {
	seed := bytes.Repeat([]byte{seedByte}, 32)
	private := ed25519.NewKeyFromSeed(seed)
	return key{name, seed, private, private.Public().(ed25519.PublicKey)}
}

// newDevice names the key after its log: authority, tenant, RFC 7638 thumbprint.
func newDevice(seedByte byte) key {
	k := newKey(seedByte, "")
	k.name = authority + "/acme/" + thumbprint(k.public)
	return k
}

func thumbprint(public ed25519.PublicKey) string {
	jwk := fmt.Sprintf(`{"crv":"Ed25519","kty":"OKP","x":"%s"}`, base64.RawURLEncoding.EncodeToString(public))
	sum := sha256.Sum256([]byte(jwk))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// vkey is the verifier key for notes, type 0x01.
func (k key) vkey() string { return must(note.NewEd25519VerifierKey(k.name, k.public)) }

// cosignerVkey is the verifier key for cosignatures, type 0x04.
func (k key) cosignerVkey() string { return must(fnote.VKeyToCosignatureV1(k.vkey())) }

func (k key) signer() note.Signer {
	hash := strings.Split(k.vkey(), "+")[1]
	private := base64.StdEncoding.EncodeToString(append([]byte{1}, k.seed...))
	return must(note.NewSigner(fmt.Sprintf("PRIVATE+KEY+%s+%s+%s", k.name, hash, private)))
}

func (k key) sign(text string) string {
	return string(must(note.Sign(&note.Note{Text: text}, k.signer())))
}

// cosign makes one signature line as tlog-cosignature has it. The library's own signer takes the time from the
// clock, so the line is made here, and the library's verifier checks it.
func (k key) cosign(checkpointText string, timestamp uint64) string {
	message := fmt.Sprintf("cosignature/v1\ntime %d\n%s", timestamp, checkpointText)
	vkey := k.cosignerVkey()
	signature := must(hex.DecodeString(strings.Split(vkey, "+")[1]))
	signature = binary.BigEndian.AppendUint64(signature, timestamp)
	signature = append(signature, ed25519.Sign(k.private, []byte(message))...)
	line := fmt.Sprintf("— %s %s\n", k.name, base64.StdEncoding.EncodeToString(signature))
	check(openNote(checkpointText+"\n"+line, vkey))
	return line
}

// openNote verifies a note with libraries only; a verifier key of type 0x04 is a cosigner's.
func openNote(source string, vkeys ...string) error {
	var verifiers []note.Verifier
	for _, vkey := range vkeys {
		verifier, err := fnote.NewVerifier(vkey)
		if err != nil {
			return err
		}
		verifiers = append(verifiers, verifier)
	}
	_, err := note.Open([]byte(source), note.VerifierList(verifiers...))
	return err
}

type keyVector struct {
	Seed      string `json:"seed"`
	Name      string `json:"name"`
	PublicKey string `json:"publicKey"`
	Device    string `json:"device"`
	Vkey      string `json:"vkey"`
	Cosigner  string `json:"cosignerVkey"`
}

type invalidVkey struct {
	Title string `json:"title"`
	Vkey  string `json:"vkey"`
	Code  string `json:"code"`
}

func keyVectors() any {
	var valid []keyVector
	for _, k := range []key{newDevice(1), newDevice(2), newKey(3, authority+"/ingest"), newKey(4, "example.com/ключ")} {
		valid = append(valid, keyVector{
			hex.EncodeToString(k.seed), k.name, hex.EncodeToString(k.public), thumbprint(k.public), k.vkey(), k.cosignerVkey(),
		})
	}
	good := newKey(3, authority+"/ingest").vkey()
	parts := strings.SplitN(good, "+", 3)
	bad := func(title, vkey string) invalidVkey { return invalidVkey{title, vkey, "ERR_VKEY"} }
	return map[string]any{"valid": valid, "invalid": []invalidVkey{
		bad("empty", ""),
		bad("no key", parts[0]+"+"+parts[1]),
		bad("other name", "x"+good),
		bad("other id", parts[0]+"+00000000+"+parts[2]),
		bad("id in capitals", parts[0]+"+"+strings.ToUpper(parts[1])+"+"+parts[2]),
		bad("id of another type", parts[0]+"+"+strings.Split(newKey(3, authority+"/ingest").cosignerVkey(), "+")[1]+"+"+parts[2]),
		bad("space in the name", "a b+"+parts[1]+"+"+parts[2]),
		bad("base64 without padding", parts[0]+"+"+parts[1]+"+"+base64.RawStdEncoding.EncodeToString(make([]byte, 32))),
		bad("key cut short", good[:len(good)-4]),
	}}
}
