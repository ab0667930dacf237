package main

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"encoding/json"
	"strconv"
	"strings"
	"time"

	tlog "github.com/transparency-dev/formats/log"
	tnote "github.com/transparency-dev/formats/note"
	"golang.org/x/mod/sumdb/note"
)

// extras come with a 200, a 409 and a 422.
type extras struct {
	Rejected           []rejection `json:"rejected"`
	Lease              string      `json:"lease"`
	Directives         []string    `json:"directives"`
	DeviceStatus       string      `json:"deviceStatus"`
	Keys               string      `json:"keys"`
	NextCheckInSeconds int         `json:"nextCheckInSeconds"`
}

type rejection struct {
	Index int    `json:"index"`
	Code  string `json:"code"`
}

// appended is the body of a 200.
type appended struct {
	Receipt string `json:"receipt"`
	extras
}

// conflict is the body of a 409 and a 422.
type conflict struct {
	problem
	Size       *int    `json:"size"`
	Checkpoint *string `json:"checkpoint"`
	extras
}

// sending is one append, as the client remembers it until the answer.
type sending struct {
	old, size   int
	checkpoint  string
	nonce       string
	receiptSize int
	body        []byte
}

// request makes the body of an append from old to size; with a request note it asks for a lease.
func (h *history) request(old, size int, withNote bool) sending {
	s := sending{old: old, size: size, checkpoint: h.checkpointAt(size), receiptSize: h.receiptSize()}
	var body strings.Builder
	if withNote {
		s.nonce = uuid(4)
		body.WriteString(h.requestNote(s, readClock()) + "\n")
	}
	body.WriteString("old " + strconv.Itoa(old) + "\n\n" + s.checkpoint + "\n")
	for _, leaf := range h.leaves[old:size] {
		body.WriteString(leaf + "\n")
	}
	s.body = []byte(body.String())
	return s
}

// requestNote is the first note of section 5.
func (h *history) requestNote(s sending, now clock) string {
	pending, oldest := len(h.leaves)-s.old, "-"
	if pending > 0 {
		var first struct{ Time string }
		ok(json.Unmarshal([]byte(h.leaves[s.old]), &first))
		oldest = first.Time
	}
	return h.device.sign("tachograph request/v1", h.device.origin, strconv.Itoa(s.size), s.nonce, wireTime(time.Now()),
		now.Boot, strconv.FormatFloat(now.Ms, 'f', -1, 64), strconv.Itoa(pending), oldest)
}

func zipped(s sending) sending {
	var out bytes.Buffer
	writer := gzip.NewWriter(&out)
	must(writer.Write(s.body))
	ok(writer.Close())
	s.body = out.Bytes()
	return s
}

func (s *server) send(d *device, what sending) answer {
	path := "/v1/logs/" + s.tenant + "/" + d.id
	return s.do("POST", path, what.body, map[string]string{"Content-Type": "text/plain"})
}

// accept processes a 200: the keys first, then the receipt, then the lease.
func (h *history) accept(t *trust, s sending, a answer) extras {
	body := expect[appended](a, 200)
	t.acceptExtras(s, body.extras)
	h.store(t, s.checkpoint+body.Receipt)
	check(h.receiptSize() == s.size, "a receipt of size %d for a checkpoint of size %d", h.receiptSize(), s.size)
	return body.extras
}

// acceptExtras takes new keys over before anything is verified by them.
func (t *trust) acceptExtras(s sending, e extras) {
	if e.Keys != "" {
		t.acceptKeys(e.Keys)
	}
	check((e.Keys != "") == (s.nonce != ""), "keys come with every answer to a request note and only then")
	check(e.Lease == "" || s.nonce != "", "a lease that nobody asked for")
	check(e.Rejected != nil && e.Directives != nil, "a list is missing")
	check(e.NextCheckInSeconds > 0, "no time for the next check-in")
}

// cosigned verifies a checkpoint with cosignatures and gives its state and the newest time that it carries.
func (h *history) cosigned(t *trust, signed string) (tlog.Checkpoint, int64) {
	opened := must(note.Open([]byte(signed), note.VerifierList(t.cosigners...)))
	var state tlog.Checkpoint
	rest := must(state.Unmarshal([]byte(opened.Text)))
	check(len(rest) == 0 && state.Origin == h.device.origin, "a checkpoint of another log: %q", opened.Text)
	var newest int64
	for _, signature := range opened.Sigs {
		newest = max(newest, must(tnote.CoSigV1Timestamp(signature)).Unix())
	}
	return state, newest
}

// store keeps a receipt that verifies, if (size, time) grows; section 6.
func (h *history) store(t *trust, signed string) {
	state, at := h.cosigned(t, signed)
	check(h.rootAt(int(state.Size)) == base64.StdEncoding.EncodeToString(state.Hash), "a receipt of another root")
	now := time.Now().Unix()
	check(at > now-60 && at <= now+60, "a receipt of the time %d", at)
	if h.receipt == nil || int(state.Size) > h.receipt.Size || (int(state.Size) == h.receipt.Size && at > h.receipt.Time) {
		h.receipt = &receipt{Size: int(state.Size), Time: at, Note: signed}
	}
}

// resolve is the table "Resolving 409 and 422" of section 4.
func (h *history) resolve(t *trust, s sending, a answer) (string, extras) {
	body := expect[conflict](a, 409, 422)
	code := map[int]string{409: "ERR_SIZE_CONFLICT", 422: "ERR_ROOT_MISMATCH"}[a.status]
	check(body.verify(a) == code, "the code of a %d is %q", a.status, body.Code)
	check(body.Size != nil, "no size: %s", a.body)
	t.acceptExtras(s, body.extras)
	size := *body.Size
	root := h.rootAt(0)
	if body.Checkpoint != nil {
		state, _ := h.cosigned(t, *body.Checkpoint)
		check(int(state.Size) == size, "size %d and a checkpoint of %d", size, state.Size)
		root = base64.StdEncoding.EncodeToString(state.Hash)
	} else {
		check(size == 0, "no checkpoint at size %d", size)
		if h.receiptSize() > 0 {
			return "lost", body.extras
		}
	}
	switch {
	case size < h.receiptSize() && size >= s.receiptSize:
		return "stale", body.extras
	case size > len(h.leaves):
		return "rollback", body.extras
	case size < s.receiptSize:
		return "behind", body.extras
	case h.rootAt(size) != root:
		return "fork", body.extras
	}
	if body.Checkpoint != nil {
		h.store(t, *body.Checkpoint)
	}
	return "receipt", body.extras
}

// openLease verifies a lease for the nonce of a request and gives how long it lasts; section 9.
func (h *history) openLease(t *trust, s sending, lease string) map[string]any {
	lines := openStatement(lease, "tachograph lease/v1", t.lease...)
	check(len(lines) == 5, "a lease of %d values", len(lines))
	check(lines[0] == h.device.origin && lines[1] == s.nonce, "a lease of another request: %q", lines)
	return map[string]any{
		"blockAfterSeconds": must(strconv.Atoi(lines[2])),
		"wipeAfterSeconds":  must(strconv.Atoi(lines[3])),
		"scopes":            lines[4],
	}
}
