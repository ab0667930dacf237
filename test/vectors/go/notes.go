package main

import (
	"encoding/base64"
	"fmt"
	"strings"

	"github.com/transparency-dev/merkle/rfc6962"
	"golang.org/x/mod/sumdb/note"
)

// signedNote is a note and the keys that a reader knows. Code is empty where one of them verifies it.
type signedNote struct {
	Title string   `json:"title"`
	Note  string   `json:"note"`
	Vkeys []string `json:"vkeys"`
	Text  string   `json:"text,omitempty"`
	Code  string   `json:"code,omitempty"`
}

func noteVectors() any {
	one, two, stranger := newKey(5, "notes.example/one"), newKey(6, "notes.example/two"), newKey(7, "notes.example/other")
	text := "first line\n\nafter an empty line: ü\n"
	both := string(must(note.Sign(&note.Note{Text: text}, one.signer(), two.signer())))
	good := one.sign(text)
	line := strings.TrimPrefix(good, text+"\n")
	broken := strings.Replace(two.sign("other\n"), "other\n\n", "", 1)

	valid := []signedNote{
		{"one signature", good, []string{one.vkey()}, text, ""},
		{"one known key of two", both, []string{two.vkey()}, text, ""},
		{"two known keys", both, []string{one.vkey(), two.vkey()}, text, ""},
		{"a bad signature by an unknown key", good + broken, []string{one.vkey()}, text, ""},
		{"text of one empty line", one.sign("\n"), []string{one.vkey()}, "\n", ""},
	}
	for _, v := range valid {
		check(openNote(v.Note, v.Vkeys...))
	}
	known := []string{one.vkey(), two.vkey()}
	invalid := []signedNote{
		{"unknown key", good, []string{stranger.vkey()}, "", "ERR_SIGNATURE"},
		{"known name, other key", good, []string{newKey(8, one.name).vkey()}, "", "ERR_SIGNATURE"},
		{"changed text", strings.Replace(good, "first", "First", 1), known, "", "ERR_SIGNATURE"},
		{"a bad signature by a known key", good + broken, known, "", "ERR_SIGNATURE"},
		{"a bad signature first", text + "\n" + broken + line, known, "", "ERR_SIGNATURE"},
		{"no signature", text + "\n", known, "", "ERR_NOTE"},
		{"no final newline", strings.TrimSuffix(good, "\n"), known, "", "ERR_NOTE"},
		{"tab", strings.Replace(good, "first line", "first\tline", 1), known, "", "ERR_NOTE"},
		{"carriage return", strings.Replace(good, "line\n", "line\r\n", 1), known, "", "ERR_NOTE"},
		{"hyphen for the dash", strings.Replace(good, "— ", "- ", 1), known, "", "ERR_NOTE"},
		{"two spaces", strings.Replace(good, "— ", "—  ", 1), known, "", "ERR_NOTE"},
		{"no padding", strings.Replace(good, "=\n", "\n", 1), known, "", "ERR_NOTE"},
	}
	for _, v := range invalid {
		if openNote(v.Note, v.Vkeys...) == nil {
			fail(fmt.Errorf("the library accepts the note with %s", v.Title))
		}
	}
	// Here this project is stricter than the library.
	invalid = append(invalid, signedNote{"17 signatures", good + strings.Repeat(line, 16), known, "", "ERR_NOTE"})
	return map[string]any{"valid": valid, "invalid": invalid}
}

type checkpointVector struct {
	Title  string `json:"title"`
	Note   string `json:"note"`
	Vkey   string `json:"vkey"`
	Origin string `json:"origin,omitempty"`
	Size   uint64 `json:"size"`
	Root   string `json:"root,omitempty"`
	Code   string `json:"code,omitempty"`
}

func checkpointText(origin string, size uint64, root []byte) string {
	return fmt.Sprintf("%s\n%d\n%s\n", origin, size, base64.StdEncoding.EncodeToString(root))
}

func checkpointVectors() any {
	device := newDevice(1)
	root := rfc6962.DefaultHasher.EmptyRoot()
	encoded := base64.StdEncoding.EncodeToString(root)
	var valid []checkpointVector
	for _, size := range []uint64{0, 1, 4045, 1 << 32, 1<<53 - 1} {
		signed := device.sign(checkpointText(device.name, size, root))
		check(openNote(signed, device.vkey()))
		valid = append(valid, checkpointVector{fmt.Sprint("size ", size), signed, device.vkey(), device.name, size, encoded, ""})
	}
	invalid := func(title, text, code string) checkpointVector {
		return checkpointVector{Title: title, Note: device.sign(text), Vkey: device.vkey(), Code: code}
	}
	return map[string]any{"valid": valid, "invalid": []checkpointVector{
		invalid("size of 2^53", checkpointText(device.name, 1<<53, root), "ERR_NUMBER"),
		invalid("leading zero", fmt.Sprintf("%s\n07\n%s\n", device.name, encoded), "ERR_NUMBER"),
		invalid("sign", fmt.Sprintf("%s\n+7\n%s\n", device.name, encoded), "ERR_NUMBER"),
		invalid("extension line", checkpointText(device.name, 7, root)+"extension\n", "ERR_CHECKPOINT"),
		invalid("two lines", device.name+"\n7\n", "ERR_CHECKPOINT"),
		invalid("short root", checkpointText(device.name, 7, root[1:]), "ERR_CHECKPOINT"),
		invalid("root with trailing bits", fmt.Sprintf("%s\n7\n%s\n", device.name, strings.Replace(encoded, "U=", "V=", 1)), "ERR_CHECKPOINT"),
		invalid("no origin of ours", checkpointText("example.com/log", 7, root), "ERR_NAME"),
		{Title: "changed size", Note: strings.Replace(valid[2].Note, "\n4045\n", "\n4046\n", 1), Vkey: device.vkey(), Code: "ERR_SIGNATURE"},
	}}
}

type cosignatureVector struct {
	Title      string   `json:"title"`
	Checkpoint string   `json:"checkpoint"`
	Receipt    string   `json:"receipt"`
	Vkeys      []string `json:"vkeys"`
	Timestamp  uint64   `json:"timestamp"`
	Code       string   `json:"code,omitempty"`
}

func cosignatureVectors() any {
	device := newDevice(1)
	text := checkpointText(device.name, 4045, rfc6962.DefaultHasher.EmptyRoot())
	other := checkpointText(device.name, 4046, rfc6962.DefaultHasher.EmptyRoot())
	old, next, stranger := newKey(3, authority+"/ingest"), newKey(9, authority+"/ingest"), newKey(10, "witness.example/w")
	line, newer, theirs := old.cosign(text, 1795341600), next.cosign(text, 1795341700), stranger.cosign(text, 1795341800)
	misplaced := old.cosign(other, 1795341600)
	keys := func(of ...key) (vkeys []string) {
		for _, k := range of {
			vkeys = append(vkeys, k.cosignerVkey())
		}
		return
	}
	return map[string]any{
		"valid": []cosignatureVector{
			{"one key", text, line, keys(old), 1795341600, ""},
			{"the older of two keys known", text, line + newer, keys(old), 1795341600, ""},
			{"both of two keys known", text, line + newer, keys(old, next), 1795341700, ""},
			{"an unknown witness beside it", text, theirs + line, keys(old), 1795341600, ""},
			{"time 0", text, old.cosign(text, 0), keys(old), 0, ""},
		},
		"invalid": []cosignatureVector{
			{"unknown key", text, line, keys(next, stranger), 0, "ERR_SIGNATURE"},
			{"a note key in place of a cosigner key", text, line, []string{old.vkey()}, 0, "ERR_SIGNATURE"},
			{"another checkpoint", other, line, keys(old), 0, "ERR_SIGNATURE"},
			{"a bad line beside a good one", text, line + misplaced, keys(old), 0, "ERR_SIGNATURE"},
			{"a plain signature by the cosigner", text, strings.TrimPrefix(old.sign(text), text+"\n"), []string{old.vkey(), old.cosignerVkey()}, 0, "ERR_SIGNATURE"},
			{"nothing", text, "", keys(old), 0, "ERR_SIGNATURE"},
			{"a page of HTML", text, "<html></html>\n", keys(old), 0, "ERR_SIGNATURE"},
		},
	}
}
