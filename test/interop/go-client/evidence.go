package main

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"fmt"

	tlog "github.com/transparency-dev/formats/log"
	"github.com/transparency-dev/merkle/rfc6962"
	"golang.org/x/mod/sumdb/note"
)

// evidence is the answer of GET …/forks; section 14.
type evidence struct {
	Forks []forkProof `json:"forks"`
}

type forkProof struct {
	ID                  string          `json:"id"`
	Index               int             `json:"index"`
	AcceptedCheckpoint  string          `json:"acceptedCheckpoint"`
	SubmittedCheckpoint string          `json:"submittedCheckpoint"`
	Differing           []differingLeaf `json:"differing"`
	DetectedAt          string          `json:"detectedAt"`
}

type differingLeaf struct {
	Index     int    `json:"index"`
	Accepted  []byte `json:"accepted"`
	Submitted []byte `json:"submitted"`
	Leaf      []byte `json:"leaf"`
}

// verify checks that the evidence convicts the device: two checkpoints by its key, and the leaves by which they differ.
func (f forkProof) verify(accepted, submitted *history) {
	first := 0
	for accepted.leaves[first] == submitted.leaves[first] {
		first++
	}
	check(f.Index == first, "the histories differ from %d on, not from %d", first, f.Index)
	f.verifyCheckpoint(f.AcceptedCheckpoint, accepted)
	f.verifyCheckpoint(f.SubmittedCheckpoint, submitted)
	check(len(f.Differing) == len(accepted.leaves)-first, "%d differing leaves", len(f.Differing))
	for i, leaf := range f.Differing {
		check(leaf.Index == first+i, "the index %d of a differing leaf", leaf.Index)
		check(string(leaf.Leaf) == submitted.leaves[leaf.Index], "the leaf that was not accepted")
		hash := rfc6962.DefaultHasher.HashLeaf
		check(bytes.Equal(leaf.Submitted, hash(leaf.Leaf)), "the hash of the leaf that was not accepted")
		check(bytes.Equal(leaf.Accepted, hash([]byte(accepted.leaves[leaf.Index]))), "the hash of the accepted leaf")
	}
	size := len(submitted.leaves)
	id := derivedID("log.forked", submitted.device.origin, fmt.Sprint(size), submitted.rootAt(size))
	check(f.ID == id, "the id %s of a fork, derived %s", f.ID, id)
}

func (f forkProof) verifyCheckpoint(signed string, h *history) {
	public := h.device.private.Public().(ed25519.PublicKey)
	material := base64.StdEncoding.EncodeToString(append([]byte{0x01}, public...))
	vkey := fmt.Sprintf("%s+%08x+%s", h.device.origin, h.device.signer.KeyHash(), material)
	opened := must(note.Open([]byte(signed), note.VerifierList(must(note.NewVerifier(vkey)))))
	var state tlog.Checkpoint
	must(state.Unmarshal([]byte(opened.Text)))
	root := base64.StdEncoding.EncodeToString(state.Hash)
	check(int(state.Size) == len(h.leaves) && root == h.rootAt(len(h.leaves)), "another checkpoint: %q", opened.Text)
}

// derivedID is the id of an event that several may detect; section 2.
func derivedID(action string, facts ...string) string {
	text := action + "\n"
	for _, fact := range facts {
		text += fact + "\n"
	}
	sum := sha256.Sum256([]byte(text))
	return formatUUID(8, sum[:16])
}
