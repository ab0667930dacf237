package main

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"
)

// appendVector is a whole body. Before are the leaves that the log holds already: with them the root is checked.
type appendVector struct {
	Title       string   `json:"title"`
	Body        []byte   `json:"body"`
	Vkey        string   `json:"vkey"`
	Before      [][]byte `json:"before,omitempty"`
	RequestNote string   `json:"requestNote,omitempty"`
	Old         int      `json:"old"`
	Leaves      [][]byte `json:"leaves,omitempty"`
	Code        string   `json:"code,omitempty"`
}

func formatAppend(requestNote string, old int, checkpoint string, leaves [][]byte) []byte {
	var body bytes.Buffer
	if requestNote != "" {
		body.WriteString(requestNote + "\n")
	}
	fmt.Fprintf(&body, "old %d\n\n%s\n", old, checkpoint)
	for _, leaf := range leaves {
		body.Write(leaf)
		body.WriteByte('\n')
	}
	return body.Bytes()
}

// verifyAppend reads a body from front to back: framing, signatures, and the root over what the log held before.
func verifyAppend(v appendVector) error {
	rest := string(v.Body)
	requestNote := ""
	if strings.HasPrefix(rest, "tachograph request/v1\n") {
		text, tail, _ := strings.Cut(rest, "\n\n")
		signatures, tail, found := strings.Cut(tail, "\n\n")
		if !found {
			return fmt.Errorf("the request note does not end")
		}
		requestNote, rest = text+"\n\n"+signatures+"\n", tail
		if err := openNote(requestNote, v.Vkey); err != nil {
			return err
		}
	}
	line, rest, _ := strings.Cut(rest, "\n\n")
	old, err := strconv.Atoi(strings.TrimPrefix(line, "old "))
	if err != nil {
		return err
	}
	text, rest, _ := strings.Cut(rest, "\n\n")
	signatures, rest, found := strings.Cut(rest, "\n\n")
	if !found {
		return fmt.Errorf("the checkpoint does not end")
	}
	checkpoint := text + "\n\n" + signatures + "\n"
	if err := openNote(checkpoint, v.Vkey); err != nil {
		return err
	}
	_, size, root, err := parseCheckpoint(checkpoint)
	if err != nil {
		return err
	}
	var leaves [][]byte
	for rest != "" {
		leaf, tail, found := strings.Cut(rest, "\n")
		if !found {
			return fmt.Errorf("a leaf does not end")
		}
		leaves, rest = append(leaves, []byte(leaf)), tail
	}
	all := append(append([][]byte{}, v.Before...), leaves...)
	switch {
	case old != len(v.Before) || uint64(len(all)) != size:
		return fmt.Errorf("the sizes do not fit")
	case !sameRoot(all, root):
		return fmt.Errorf("the root does not follow")
	case requestNote != v.RequestNote || old != v.Old || len(leaves) != len(v.Leaves):
		return fmt.Errorf("other parts than claimed")
	}
	for i, leaf := range leaves {
		if !bytes.Equal(leaf, v.Leaves[i]) {
			return fmt.Errorf("leaf %d is not as claimed", i)
		}
	}
	return nil
}

func appendVectors() any {
	device := newDevice(1)
	oldest := int64(1795341599000)
	statement := statementValue{
		Origin: device.name, Size: 7, Nonce: "n0nce~", WallClock: 1795341600123, Boot: "b3f1", MonotonicMs: 81234.5,
		PendingCount: 3, OldestPending: &oldest,
	}
	requestNote := device.sign(formatStatement("request", &statement))
	before := [][]byte{leafData(0), leafData(1), leafData(2), leafData(3)}
	leaves := [][]byte{leafData(4), {}, []byte("{\"text\":\"\xc3\xbc\"}\r\xff")}
	all := append(append([][]byte{}, before...), leaves...)
	checkpoint := device.sign(checkpointText(device.name, 7, newTree(all...).Hash()))

	valid := []appendVector{
		{"three leaves and a request note", formatAppend(requestNote, 4, checkpoint, leaves), device.vkey(), before, requestNote, 4, leaves, ""},
		{"three leaves", formatAppend("", 4, checkpoint, leaves), device.vkey(), before, "", 4, leaves, ""},
		{"from the start", formatAppend("", 0, checkpoint, all), device.vkey(), nil, "", 0, all, ""},
		{"a check-in", formatAppend(requestNote, 7, checkpoint, nil), device.vkey(), all, requestNote, 7, nil, ""},
		{"nothing", formatAppend("", 7, checkpoint, nil), device.vkey(), all, "", 7, nil, ""},
	}
	for _, v := range valid {
		check(verifyAppend(v))
	}
	good := string(valid[1].Body)
	bad := func(title, code, body string) appendVector {
		return appendVector{Title: title, Body: []byte(body), Vkey: device.vkey(), Before: before, Old: 4, Code: code}
	}
	edit := func(from, to string) string {
		changed := strings.Replace(good, from, to, 1)
		if changed == good {
			fail(fmt.Errorf("nothing to replace: %q", from))
		}
		return changed
	}
	long := strings.Repeat("x", 32*1024+1)
	return map[string]any{"valid": valid, "invalid": []appendVector{
		bad("empty body", "ERR_APPEND", ""),
		bad("HTML", "ERR_APPEND", "<html></html>\n"),
		bad("cut in the checkpoint", "ERR_APPEND", good[:200]),
		bad("cut in a leaf", "ERR_APPEND", good[:len(good)-1]),
		bad("cut between leaves", "ERR_LEAF_COUNT", good[:strings.LastIndex(good, "{")]),
		bad("a line behind the leaves", "ERR_LEAF_COUNT", good+"\n"),
		bad("a byte behind the leaves", "ERR_LEAF_COUNT", good+"x"),
		bad("old above the size", "ERR_LEAF_COUNT", edit("old 4", "old 8")),
		bad("old below what the leaves say", "ERR_LEAF_COUNT", edit("old 4", "old 3")),
		bad("old with a leading zero", "ERR_NUMBER", edit("old 4", "old 04")),
		bad("no empty line behind old", "ERR_APPEND", edit("\n\n", "\n")),
		bad("CRLF", "ERR_NUMBER", strings.ReplaceAll(good, "\n", "\r\n")),
		bad("CRLF in the checkpoint", "ERR_NOTE", edit(device.name+"\n", device.name+"\r\n")),
		bad("bad UTF-8 in the checkpoint", "ERR_APPEND", edit(device.name, "\xff"+device.name)),
		bad("extension line", "ERR_CHECKPOINT", edit("\n7\n", "\n7\nextension\n")),
		bad("2,001 leaves announced", "ERR_TOO_MANY_LEAVES", edit("\n7\n", "\n2005\n")),
		bad("a leaf too large", "ERR_LEAF_TOO_LARGE", edit("{\"leaf\":4}", long)),
		bad("changed size", "ERR_LEAF_COUNT", edit("\n7\n", "\n8\n")),
		bad("another device's signature", "ERR_SIGNATURE", string(formatAppend("", 4, newKey(2, device.name).sign(checkpointText(device.name, 7, newTree(all...).Hash())), leaves))),
		bad("changed leaf", "ERR_ROOT_MISMATCH", edit("{\"leaf\":4}", "{\"leaf\":5}")),
		bad("leaves in another order", "ERR_ROOT_MISMATCH", string(formatAppend("", 4, checkpoint, [][]byte{leaves[1], leaves[0], leaves[2]}))),
		bad("changed request note", "ERR_SIGNATURE", strings.Replace(string(valid[0].Body), "n0nce~", "n1nce~", 1)),
	}}
}
