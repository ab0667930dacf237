package main

import (
	"encoding/json"
	"os"
	"strconv"

	"golang.org/x/mod/sumdb/note"
)

// saved is what the client keeps on disk between two runs.
type saved struct {
	Authority, DirectiveKey string
	Counter                 int
	Seed                    []byte
	Leaves                  []string
	Receipt                 *receipt
}

func save(file string, t *trust, h *history, directiveKey string) {
	state := saved{t.authority, directiveKey, t.counter, h.device.private.Seed(), h.leaves, h.receipt}
	ok(os.WriteFile(file, must(json.Marshal(state)), 0o600))
}

// restore goes on after ingest has lost what it cosigned; section 8. With a token it enrols again first, and so has
// a log that ingest takes for a new one.
func restore(s *server, token, file string) {
	step("lost")
	var state saved
	ok(json.Unmarshal(must(os.ReadFile(file)), &state))
	t := &trust{authority: state.Authority, directive: must(note.NewVerifier(state.DirectiveKey)), counter: -1}
	t.acceptKeys(expect[servedKeys](s.get("/v1/keys"), 200).Keys)
	h := &history{device: newDevice(t.authority, s.tenant, state.Seed), leaves: state.Leaves, receipt: state.Receipt}
	checkIn := h.request(h.receipt.Size, h.receipt.Size, true)
	if token == "" {
		done(member{"code": expectRefusal(s.send(h.device, checkIn), 404)})
	} else {
		expect[enrolled](s.enrolByToken(h.device, token), 201)
		outcome, _ := h.resolve(t, checkIn, s.send(h.device, checkIn))
		done(member{"outcome": outcome})
	}

	step("restore")
	size := h.receipt.Size
	proof := h.device.sign("tachograph restore/v1", h.device.origin, strconv.Itoa(size), h.rootAt(size))
	answered := s.postJSON("/v1/logs/"+s.tenant+"/"+h.device.id+"/restore", map[string]any{
		"publicKey": h.device.jwk(), "checkpoint": h.receipt.Note, "range": h.rangeAt(size).Hashes(), "proof": proof,
	})
	restored := expect[struct {
		Device string `json:"device"`
		Status string `json:"status"`
		Size   int    `json:"size"`
	}](answered, 200)
	check(restored.Device == h.device.id, "restored %q", restored.Device)
	done(member{"status": restored.Status, "size": restored.Size, "held": size})

	step("go-on")
	h.record("item.reveal", 2, nil)
	next := h.request(size, len(h.leaves), true)
	accepted := h.accept(t, next, s.send(h.device, next))
	save(file, t, h, state.DirectiveKey)
	done(member{"receipt": h.receipt.Size, "lease": accepted.Lease != ""})

	step("logs")
	done(member{"logs": []member{{"origin": h.device.origin, "leaves": h.leaves}}})
}
