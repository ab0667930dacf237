package main

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strconv"
	"time"

	"github.com/transparency-dev/merkle/compact"
	"github.com/transparency-dev/merkle/rfc6962"
)

// history is one device with the leaves it recorded. A real client deletes what a receipt covers; this one keeps all
// of it, so that it can be compared with what the server forwards.
type history struct {
	device  *device
	leaves  []string
	receipt *receipt
}

// receipt is a state that ingest cosigned.
type receipt struct {
	Size int
	Time int64
	// Note is the checkpoint with its cosignatures.
	Note string
}

func (h *history) receiptSize() int {
	if h.receipt == nil {
		return 0
	}
	return h.receipt.Size
}

// rangeAt is the compact range of the first size leaves.
func (h *history) rangeAt(size int) *compact.Range {
	hasher := rfc6962.DefaultHasher
	tree := (&compact.RangeFactory{Hash: hasher.HashChildren}).NewEmptyRange(0)
	for _, leaf := range h.leaves[:size] {
		ok(tree.Append(hasher.HashLeaf([]byte(leaf)), nil))
	}
	return tree
}

// rootAt is the root of the first size leaves.
func (h *history) rootAt(size int) string {
	root := rfc6962.DefaultHasher.EmptyRoot()
	if size > 0 {
		root = must(h.rangeAt(size).GetRootHash(nil))
	}
	return base64.StdEncoding.EncodeToString(root)
}

// checkpointAt is the checkpoint of the first size leaves, signed by the device; section 3.
func (h *history) checkpointAt(size int) string {
	return h.device.sign(h.device.origin, strconv.Itoa(size), h.rootAt(size))
}

// copied is the same device with a history of its own from here on, as a copied profile has it.
func (h *history) copied() *history {
	return &history{device: h.device, leaves: append([]string{}, h.leaves...), receipt: h.receipt}
}

// clock is this process: one boot, one monotonic clock.
type clock struct {
	Boot string  `json:"boot"`
	Ms   float64 `json:"ms"`
}

var (
	started = time.Now()
	boot    = uuid(4)
)

func readClock() clock {
	return clock{Boot: boot, Ms: float64(time.Since(started).Microseconds()) / 1000}
}

type member map[string]any

// event is a leaf with its required members and whatever else the caller adds; section 2.
type event struct {
	ID      string   `json:"id"`
	Time    string   `json:"time"`
	Action  string   `json:"action"`
	Actor   member   `json:"actor"`
	Targets []member `json:"targets,omitempty"`
	Outcome string   `json:"outcome"`
	Online  bool     `json:"online"`
	Clock   clock    `json:"clock"`
	Seen    member   `json:"seen,omitempty"`
	Session string   `json:"session,omitempty"`
	Data    member   `json:"data,omitempty"`
}

// record puts n events behind the history.
func (h *history) record(action string, n int, data member) {
	for i := range n {
		e := event{
			ID: uuid(7), Time: wireTime(time.Now()), Action: action,
			Actor:   member{"id": "u_7", "name": "Ana <Gómez> & 🐢"},
			Targets: []member{{"type": "item", "id": fmt.Sprint("i_", len(h.leaves)), "name": "prod-db"}},
			Outcome: []string{"success", "failure", "unknown"}[i%3], Clock: readClock(), Session: "s_9", Data: data,
		}
		if h.receipt != nil {
			e.Seen = member{"size": h.receipt.Size, "time": h.receipt.Time}
		}
		h.leaves = append(h.leaves, string(must(json.Marshal(e))))
	}
}

// recordOddly records an event whose spelling no serialiser would give back: it must come through as it is.
func (h *history) recordOddly() {
	now := readClock()
	h.leaves = append(h.leaves, fmt.Sprintf(
		` { "action":"item.reveal" ,"unknown":[1.50,-0,1E2,"\/\u00e9é"], "outcome":"success","online":true,`+
			`"actor":{"id":"u\u005f7","badge":null}, "clock" : {"ms":%.4f,"boot":%q},"time":%q,"id":%q} `,
		now.Ms, now.Boot, wireTime(time.Now()), derivedID("item.reveal", uuid(4))))
}

// uuid makes one of RFC 9562, in version 7 or with random bits only.
func uuid(version byte) string {
	var b [16]byte
	must(rand.Read(b[:]))
	if version == 7 {
		ms := time.Now().UnixMilli()
		for i := range 6 {
			b[i] = byte(ms >> (40 - 8*i))
		}
	}
	return formatUUID(version, b[:])
}

// formatUUID sets version and variant in 16 bytes and spells them.
func formatUUID(version byte, b []byte) string {
	b[6] = b[6]&0x0f | version<<4
	b[8] = b[8]&0x3f | 0x80
	s := hex.EncodeToString(b)
	return s[:8] + "-" + s[8:12] + "-" + s[12:16] + "-" + s[16:20] + "-" + s[20:]
}
