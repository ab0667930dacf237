package main

import (
	"strings"
	"time"
)

// journey is the life of a device, from enrolment to revocation.
func journey(s *server, token, stateFile string) {
	step("keys")
	invitation := s.invite()
	t := invitation.pin()
	now := expect[servedKeys](s.get("/v1/keys"), 200)
	check(now.DirectiveKey == invitation.DirectiveKey, "two directive keys")
	openStatement(now.Keys, "tachograph keys/v1", t.directive)
	done(member{"methods": invitation.Methods, "cosigners": len(t.cosigners), "leaseKeys": len(t.lease)})

	h := &history{device: newDevice(t.authority, s.tenant, seed())}
	enrolAndAppend(s, t, h, token)
	served(s, t, h)
	conflicts(s, t, h)
	refusals(s, t, h)
	fork := forked(s, t, h)
	successor := succeeded(s, t, fork)
	revoked(s, t, successor)
	rolledBack(s, t, h)
	save(stateFile, t, h, invitation.DirectiveKey)

	step("logs")
	done(member{"logs": []member{
		{"origin": h.device.origin, "leaves": h.leaves},
		{"origin": successor.device.origin, "leaves": successor.leaves},
	}})
}

func enrolAndAppend(s *server, t *trust, h *history, token string) {
	step("record")
	h.record("item.reveal", 3, member{"vault": "v_1"})
	h.recordOddly()
	done(member{"leaves": len(h.leaves)})

	step("enrol")
	first := s.enrolByToken(h.device, token)
	known := expect[enrolled](first, 201)
	check(known.Device == h.device.id && known.Origin == h.device.origin, "enrolled as %q", known.Origin)
	check(known.Size != nil && *known.Size == 0, "a new device of another size")
	t.acceptKeys(known.Keys)
	again := expect[enrolled](s.enrolByToken(h.device, "any"), 200)
	done(member{"status": known.Status, "again": again.Status, "limits": known.Limits})

	step("check-in-empty")
	empty := h.request(0, 0, true)
	accepted := h.accept(t, empty, s.send(h.device, empty))
	done(member{"receipt": h.receipt.Size, "lease": h.openLease(t, empty, accepted.Lease)})

	step("append")
	plain := h.request(0, 3, true)
	accepted = h.accept(t, plain, s.send(h.device, plain))
	done(member{"receipt": h.receipt.Size, "rejected": len(accepted.Rejected), "directives": len(accepted.Directives),
		"lease": h.openLease(t, plain, accepted.Lease), "nextCheckInSeconds": accepted.NextCheckInSeconds})

	step("append-gzip")
	h.record("item.copy", 1, nil)
	lost := wireTime(time.Now())
	h.record("buffer.gap", 1, member{"count": 1, "from": lost, "to": lost, "reason": "full"})
	packed := zipped(h.request(3, len(h.leaves), false))
	accepted = h.accept(t, packed, s.send(h.device, packed))
	done(member{"receipt": h.receipt.Size, "lease": accepted.Lease != "", "rejected": len(accepted.Rejected)})

	step("check-in")
	checkIn := h.request(len(h.leaves), len(h.leaves), true)
	accepted = h.accept(t, checkIn, s.send(h.device, checkIn))
	done(member{"receipt": h.receipt.Size, "lease": h.openLease(t, checkIn, accepted.Lease)})
}

// served reads the newest checkpoint as an auditor does.
func served(s *server, t *trust, h *history) {
	step("served")
	path := "/v1/logs/" + s.tenant + "/" + h.device.id + "/checkpoint"
	answered := s.do("GET", path, nil, map[string]string{"Authorization": "Bearer " + s.adminToken})
	check(answered.status == 200, "%d %s", answered.status, answered.body)
	state, _ := h.cosigned(t, string(answered.body))
	done(member{"size": state.Size})
}

func conflicts(s *server, t *trust, h *history) {
	step("lost-answer")
	h.record("item.reveal", 2, nil)
	lost := h.request(h.receipt.Size, len(h.leaves), true)
	check(s.send(h.device, lost).status == 200, "the first sending")
	retry := h.request(h.receipt.Size, len(h.leaves), true)
	answered := s.send(h.device, retry)
	outcome, body := h.resolve(t, retry, answered)
	done(member{"status": answered.status, "outcome": outcome, "receipt": h.receipt.Size,
		"lease": h.openLease(t, retry, body.Lease)})

	step("damaged")
	h.record("item.reveal", 2, nil)
	sound := h.request(h.receipt.Size, len(h.leaves), false)
	damaged := sound
	damaged.body = []byte(strings.Replace(string(sound.body), "prod-db", "prod-dc", 1))
	answered = s.send(h.device, damaged)
	outcome, _ = h.resolve(t, damaged, answered)
	h.accept(t, sound, s.send(h.device, sound))
	done(member{"status": answered.status, "outcome": outcome, "receipt": h.receipt.Size})

	step("rejected")
	h.leaves = append(h.leaves, `{"id":1,"id":2}`)
	h.record("item.reveal", 1, nil)
	h.leaves = append(h.leaves, `not JSON`, ``)
	mixed := h.request(h.receipt.Size, len(h.leaves), false)
	accepted := h.accept(t, mixed, s.send(h.device, mixed))
	_, again := h.resolve(t, mixed, s.send(h.device, mixed))
	done(member{"receipt": h.receipt.Size, "rejected": accepted.Rejected, "again": again.Rejected})
}

func refusals(s *server, t *trust, h *history) {
	step("refused")
	size := len(h.leaves)
	good := h.request(size, size, false)
	truncated := good
	truncated.body = good.body[:len(good.body)-1]
	stranger := &history{device: newDevice(t.authority, s.tenant, seed())}
	unknown := stranger.request(0, 0, false)
	impostor := &history{device: newDevice(t.authority, s.tenant, seed()), leaves: h.leaves}
	origin := impostor.device.origin
	forged := impostor.request(size, size, false)
	forged.body = []byte(strings.ReplaceAll(string(forged.body), origin, h.device.origin))
	elsewhere := &server{url: s.url, tenant: "nobody"}
	nobody := &history{device: newDevice(t.authority, "nobody", seed())}
	malformed, unsigned := h.request(size, size, true), h.request(size, size, true)
	malformed.body = []byte(strings.Replace(string(malformed.body), "\n0\n-\n", "\n00\n-\n", 1))
	unsigned.body = []byte(strings.Replace(string(unsigned.body), "\n0\n-\n", "\n1\n-\n", 1))
	untyped := s.do("POST", "/v1/logs/"+s.tenant+"/"+h.device.id, good.body, nil)
	done(member{
		"truncated":         expectRefusal(s.send(h.device, truncated), 400),
		"unknown":           expectRefusal(s.send(stranger.device, unknown), 404),
		"unknownTenant":     expectRefusal(elsewhere.send(nobody.device, nobody.request(0, 0, false)), 404),
		"forged":            expectRefusal(s.send(h.device, forged), 403),
		"otherLog":          expectRefusal(s.send(stranger.device, good), 400),
		"untyped":           expectRefusal(untyped, 415),
		"malformedRequest":  expectRefusal(s.send(h.device, malformed), 400),
		"unsignedRequest":   expectRefusal(s.send(h.device, unsigned), 403),
		"unknownToken":      expectRefusal(s.enrolByToken(stranger.device, "wrong"), 403),
		"unboundCredential": expectRefusal(s.enrol(stranger.device, map[string]string{"type": "token", "token": "x"}, "y"), 403),
	})
}

// forked appends on both sides of a copied profile. The copy shares its first new leaf with the original, so that one
// carried leaf is a duplicate.
func forked(s *server, t *trust, h *history) *history {
	step("fork")
	h.record("item.reveal", 1, nil)
	fork := h.copied()
	h.record("item.reveal", 2, member{"side": "original"})
	fork.record("item.reveal", 3, member{"side": "copy"})
	original := h.request(h.receipt.Size, len(h.leaves), false)
	h.accept(t, original, s.send(h.device, original))
	other := fork.request(fork.receipt.Size, len(fork.leaves), true)
	answered := s.send(fork.device, other)
	outcome, _ := fork.resolve(t, other, answered)
	forks := expect[evidence](s.admin("GET", "/devices/"+h.device.id+"/forks", nil), 200).Forks
	check(len(forks) == 1, "%d forks", len(forks))
	forks[0].verify(h, fork)
	done(member{"status": answered.status, "outcome": outcome, "id": forks[0].ID})
	return fork
}

// succeeded goes on under a new key and carries over what has no receipt; section 7.
func succeeded(s *server, t *trust, fork *history) *history {
	step("successor")
	next := &history{device: newDevice(t.authority, s.tenant, seed())}
	answered := expect[enrolled](s.succeed(fork.device, next.device, "fork"), 201)
	from := fork.receipt.Size
	next.record("log.opened", 1, member{
		"predecessor": fork.device.origin, "carriedFrom": from, "count": len(fork.leaves) - from,
	})
	next.leaves = append(next.leaves, fork.leaves[from:]...)
	next.record("item.reveal", 1, nil)
	first := next.request(0, len(next.leaves), true)
	accepted := next.accept(t, first, s.send(next.device, first))
	quarantined := accepted.Lease == ""
	approved := s.admin("POST", "/devices/"+next.device.id+"/approve", nil)
	check(approved.status == 200, "approve: %d %s", approved.status, approved.body)
	checkIn := next.request(len(next.leaves), len(next.leaves), true)
	accepted = next.accept(t, checkIn, s.send(next.device, checkIn))
	done(member{"status": answered.Status, "withoutLease": quarantined, "rejected": len(accepted.Rejected),
		"lease": next.openLease(t, checkIn, accepted.Lease), "carriedFrom": from})
	return next
}

// rolledBack continues from an old copy of the store: first with what ingest already has another leaf for, then without.
func rolledBack(s *server, t *trust, h *history) {
	step("rollback")
	size := len(h.leaves)
	old := h.copied()
	old.leaves = old.leaves[:size-2]
	old.receipt = &receipt{Size: size - 2}
	checkIn := old.request(size-2, size-2, true)
	answered := s.send(h.device, checkIn)
	outcome, _ := old.resolve(t, checkIn, answered)
	done(member{"status": answered.status, "outcome": outcome})

	step("equal-size")
	old.record("item.reveal", 2, member{"side": "copy"})
	equal := old.request(size, size, false)
	answered = s.send(h.device, equal)
	outcome, _ = old.resolve(t, equal, answered)
	done(member{"status": answered.status, "outcome": outcome})
}

func revoked(s *server, t *trust, h *history) {
	step("revoked")
	revoke := s.admin("POST", "/devices/"+h.device.id+"/revoke", member{"reason": "offboarding", "purge": []string{"v_1"}})
	check(revoke.status == 200, "revoke: %d %s", revoke.status, revoke.body)
	h.record("item.reveal", 1, nil)
	last := h.request(h.receipt.Size, len(h.leaves), true)
	accepted := h.accept(t, last, s.send(h.device, last))
	purges := []member{}
	for _, directive := range accepted.Directives {
		lines := openStatement(directive, "tachograph purge/v1", t.directive)
		check(len(lines) == 5 && lines[0] == h.device.origin, "a directive: %q", lines)
		purges = append(purges, member{"scopes": lines[2], "reason": lines[3]})
	}
	done(member{"receipt": h.receipt.Size, "lease": accepted.Lease != "", "purges": purges})
}
