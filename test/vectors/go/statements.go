package main

import (
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/transparency-dev/merkle/rfc6962"
)

// statementValue holds the values of any of our notes; each kind writes its own.
type statementValue struct {
	Origin            string   `json:"origin"`
	Size              uint64   `json:"size"`
	Nonce             string   `json:"nonce"`
	WallClock         int64    `json:"wallClock"`
	Boot              string   `json:"boot"`
	MonotonicMs       float64  `json:"monotonicMs"`
	PendingCount      uint64   `json:"pendingCount"`
	OldestPending     *int64   `json:"oldestPending"`
	BlockAfterSeconds uint64   `json:"blockAfterSeconds"`
	WipeAfterSeconds  uint64   `json:"wipeAfterSeconds"`
	Scopes            []string `json:"scopes"`
	ID                string   `json:"id"`
	Reason            string   `json:"reason"`
	Issued            int64    `json:"issued"`
	OldOrigin         string   `json:"oldOrigin"`
	NewOrigin         string   `json:"newOrigin"`
	Challenge         string   `json:"challenge"`
	CredentialHash    string   `json:"credentialHash"`
	Root              []byte   `json:"root"`
	Authority         string   `json:"authority"`
	Counter           uint64   `json:"counter"`
	Keys              []string `json:"keys"`
}

type statementVector struct {
	Title string         `json:"title"`
	Kind  string         `json:"kind"`
	Note  string         `json:"note"`
	Vkey  string         `json:"vkey"`
	Value map[string]any `json:"value,omitempty"`
	Code  string         `json:"code,omitempty"`
	Field string         `json:"field,omitempty"`
}

func formatTime(ms int64) string {
	return time.UnixMilli(ms).UTC().Format("2006-01-02T15:04:05.000Z")
}

// line is one line of a statement: its field's name, the value, and how it is written.
type line struct {
	field string
	value any
	text  string
}

func plain(field string, value any) line { return line{field, value, fmt.Sprint(value)} }

func timeLine(field string, ms int64) line { return line{field, ms, formatTime(ms)} }

func scopesLine(scopes []string) line {
	if len(scopes) == 0 {
		return line{"scopes", []string{}, "-"}
	}
	return line{"scopes", scopes, strings.Join(scopes, ",")}
}

// statementLines says what the page of the protocol says, independently of the other implementation.
func statementLines(kind string, v *statementValue) []line {
	switch kind {
	case "request":
		ms := line{"monotonicMs", v.MonotonicMs, strconv.FormatFloat(v.MonotonicMs, 'f', -1, 64)}
		oldest := line{"oldestPending", nil, "-"}
		if v.OldestPending != nil {
			oldest = timeLine("oldestPending", *v.OldestPending)
		}
		return []line{
			plain("origin", v.Origin), plain("size", v.Size), plain("nonce", v.Nonce), timeLine("wallClock", v.WallClock),
			plain("boot", v.Boot), ms, plain("pendingCount", v.PendingCount), oldest,
		}
	case "lease":
		return []line{
			plain("origin", v.Origin), plain("nonce", v.Nonce), plain("blockAfterSeconds", v.BlockAfterSeconds),
			plain("wipeAfterSeconds", v.WipeAfterSeconds), scopesLine(v.Scopes),
		}
	case "purge":
		return []line{
			plain("origin", v.Origin), plain("id", v.ID), scopesLine(v.Scopes), plain("reason", v.Reason), timeLine("issued", v.Issued),
		}
	case "succession":
		return []line{plain("oldOrigin", v.OldOrigin), plain("newOrigin", v.NewOrigin), plain("reason", v.Reason)}
	case "enrolment":
		return []line{plain("origin", v.Origin), plain("challenge", v.Challenge), plain("credentialHash", v.CredentialHash)}
	case "restore":
		root := line{"root", v.Root, base64.StdEncoding.EncodeToString(v.Root)}
		return []line{plain("origin", v.Origin), plain("size", v.Size), root}
	case "keys":
		keys := line{"keys", v.Keys, strings.Join(v.Keys, "\n")}
		return []line{plain("authority", v.Authority), plain("counter", v.Counter), keys}
	}
	fail(fmt.Errorf("unknown kind %q", kind))
	return nil
}

func formatStatement(kind string, v *statementValue) string {
	text := "tachograph " + kind + "/v1\n"
	for _, line := range statementLines(kind, v) {
		text += line.text + "\n"
	}
	return text
}

func statementJSON(kind string, v *statementValue) map[string]any {
	value := map[string]any{}
	for _, line := range statementLines(kind, v) {
		value[line.field] = line.value
	}
	return value
}

func statementVectors() any {
	device, successor := newDevice(1), newDevice(2)
	lease, directive := newKey(11, authority+"/lease"), newKey(12, authority+"/directive")
	wall, oldest := int64(1795341600123), int64(1795341599000)
	hash := rfc6962.DefaultHasher.EmptyRoot()
	request := statementValue{
		Origin: device.name, Size: 4045, Nonce: "n0nce~", WallClock: wall, Boot: "b3f1", MonotonicMs: 81234.5,
		PendingCount: 24, OldestPending: &oldest,
	}
	idle := request
	idle.PendingCount, idle.OldestPending, idle.MonotonicMs = 0, nil, 0.001
	samples := []struct {
		title, kind string
		signer      key
		value       statementValue
	}{
		{"with pending entries", "request", device, request},
		{"with none", "request", device, idle},
		{"two scopes", "lease", lease, statementValue{Origin: device.name, Nonce: "n0nce~", BlockAfterSeconds: 259200, WipeAfterSeconds: 1209600, Scopes: []string{"v_1", "v_2"}}},
		{"no scope", "lease", lease, statementValue{Origin: device.name, Nonce: "n", BlockAfterSeconds: 0, WipeAfterSeconds: 1}},
		{"everything", "purge", directive, statementValue{Origin: device.name, ID: "p-1", Scopes: []string{"*"}, Reason: "Gerät verloren, sofort", Issued: wall}},
		{"no reason", "purge", directive, statementValue{Origin: device.name, ID: "p-2", Scopes: []string{"v_1"}, Issued: wall}},
		{"fork", "succession", device, statementValue{OldOrigin: device.name, NewOrigin: successor.name, Reason: "fork"}},
		{"rollback", "succession", device, statementValue{OldOrigin: device.name, NewOrigin: successor.name, Reason: "rollback"}},
		{"corrupt", "succession", device, statementValue{OldOrigin: device.name, NewOrigin: successor.name, Reason: "corrupt"}},
		{"token", "enrolment", device, statementValue{Origin: device.name, Challenge: "challenge.1", CredentialHash: hex.EncodeToString(hash)}},
		{"size and root", "restore", device, statementValue{Origin: device.name, Size: 7, Root: hash}},
		{"three keys", "keys", directive, statementValue{Authority: authority, Counter: 3, Keys: []string{
			newKey(3, authority+"/ingest").cosignerVkey(), lease.vkey(), newKey(13, authority+"/log").vkey(),
		}}},
	}
	var valid, invalid []statementVector
	for _, s := range samples {
		value := s.value
		text := formatStatement(s.kind, &value)
		signed := s.signer.sign(text)
		check(openNote(signed, s.signer.vkey()))
		valid = append(valid, statementVector{Title: s.title, Kind: s.kind, Note: signed, Vkey: s.signer.vkey(), Value: statementJSON(s.kind, &value)})
	}
	bad := func(title string, sample int, from, to, code, field string) {
		s := samples[sample]
		text := formatStatement(s.kind, &s.value)
		changed := strings.Replace(text, from, to, 1)
		if changed == text {
			fail(fmt.Errorf("%s: nothing to replace", title))
		}
		invalid = append(invalid, statementVector{Title: title, Kind: s.kind, Note: s.signer.sign(changed), Vkey: s.signer.vkey(), Code: code, Field: field})
	}
	bad("another version", 0, "/v1", "/v2", "ERR_STATEMENT", "")
	bad("another origin form", 0, device.name, authority, "ERR_NAME", "origin")
	bad("size with a leading zero", 0, "\n4045\n", "\n04045\n", "ERR_NUMBER", "size")
	bad("nonce with a space", 0, "n0nce~", "n nce~", "ERR_STATEMENT", "nonce")
	bad("nonce of 65 characters", 0, "n0nce~", strings.Repeat("n", 65), "ERR_STATEMENT", "nonce")
	bad("time without milliseconds", 0, ".123Z", "Z", "ERR_STATEMENT", "wallClock")
	bad("time with an offset", 0, ".123Z", ".123+00:00", "ERR_STATEMENT", "wallClock")
	bad("empty boot", 0, "\nb3f1\n", "\n\n", "ERR_STATEMENT", "boot")
	bad("four decimals", 0, "81234.5", "81234.5001", "ERR_STATEMENT", "monotonicMs")
	bad("negative count", 0, "\n24\n", "\n-24\n", "ERR_NUMBER", "pendingCount")
	bad("oldest of none", 1, "\n-\n", "\nnone\n", "ERR_STATEMENT", "oldestPending")
	bad("a line more", 0, "\n24\n", "\n24\n24\n", "ERR_STATEMENT", "")
	bad("a line less", 0, "\n24\n", "\n", "ERR_STATEMENT", "")
	bad("seconds in hexadecimal", 2, "259200", "0x3F480", "ERR_NUMBER", "blockAfterSeconds")
	bad("an empty scope", 2, "v_1,", ",", "ERR_STATEMENT", "scopes")
	bad("unknown reason", 6, "fork", "whim", "ERR_STATEMENT", "reason")
	bad("no new origin", 6, successor.name, "-", "ERR_NAME", "newOrigin")
	bad("hash in capitals", 9, "e3b0", "E3B0", "ERR_STATEMENT", "credentialHash")
	bad("short root", 10, "=\n", "\n", "ERR_STATEMENT", "root")
	bad("broken verifier key", 11, "/lease+", "/leash+", "ERR_VKEY", "keys")
	changed := strings.Replace(valid[4].Note, "\n*\n", "\nv_1\n", 1)
	invalid = append(invalid, statementVector{Title: "changed scopes", Kind: "purge", Note: changed, Vkey: directive.vkey(), Code: "ERR_SIGNATURE"})
	invalid = append(invalid, statementVector{Title: "another signer", Kind: "purge", Note: valid[4].Note, Vkey: lease.vkey(), Code: "ERR_SIGNATURE"})
	return map[string]any{"valid": valid, "invalid": invalid}
}
