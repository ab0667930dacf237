package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"

	"github.com/transparency-dev/merkle/proof"
	"github.com/transparency-dev/merkle/rfc6962"
	"golang.org/x/mod/sumdb/note"
)

// claims are what another implementation made: each with whether it should verify.
type claims struct {
	Notes []struct {
		Note  string   `json:"note"`
		Vkeys []string `json:"vkeys"`
		Good  bool     `json:"good"`
	} `json:"notes"`
	Statements []struct {
		Kind  string         `json:"kind"`
		Note  string         `json:"note"`
		Vkey  string         `json:"vkey"`
		Value statementValue `json:"value"`
	} `json:"statements"`
	Inclusion []struct {
		inclusion
		Leaf []byte `json:"leaf"`
		Root []byte `json:"root"`
		Good bool   `json:"good"`
	} `json:"inclusion"`
	Consistency []struct {
		consistency
		OldRoot []byte `json:"oldRoot"`
		Root    []byte `json:"root"`
		Good    bool   `json:"good"`
	} `json:"consistency"`
	Roots []struct {
		Leaves [][]byte `json:"leaves"`
		Root   []byte   `json:"root"`
	} `json:"roots"`
	Proofs []struct {
		proofVector
		Good bool `json:"good"`
	} `json:"proofs"`
	Appends []struct {
		appendVector
		Good bool `json:"good"`
	} `json:"appends"`
}

func verifyClaims(path string) (broken []string) {
	var all claims
	decoder := json.NewDecoder(bytes.NewReader(must(os.ReadFile(path))))
	decoder.DisallowUnknownFields()
	check(decoder.Decode(&all))
	expect := func(what string, index int, good bool, err error) {
		if (err == nil) != good {
			broken = append(broken, fmt.Sprintf("%s %d: claimed %v, found %v", what, index, good, err))
		}
	}
	hasher := rfc6962.DefaultHasher
	for i, c := range all.Notes {
		expect("note", i, c.Good, openNote(c.Note, c.Vkeys...))
	}
	for i, c := range all.Statements {
		expect("statement", i, true, verifyStatement(c.Kind, c.Note, c.Vkey, &c.Value))
	}
	for i, c := range all.Inclusion {
		expect("inclusion", i, c.Good, proof.VerifyInclusion(hasher, c.Index, c.Size, hasher.HashLeaf(c.Leaf), c.Proof, c.Root))
	}
	for i, c := range all.Consistency {
		expect("consistency", i, c.Good, proof.VerifyConsistency(hasher, c.From, c.Size, c.Proof, c.OldRoot, c.Root))
	}
	for i, c := range all.Roots {
		if !sameRoot(c.Leaves, c.Root) {
			broken = append(broken, fmt.Sprintf("root %d is another", i))
		}
	}
	for i, c := range all.Proofs {
		expect("proof", i, c.Good, verifyProof(c.Proof, c.Leaf, c.Vkey))
	}
	for i, c := range all.Appends {
		expect("append", i, c.Good, verifyAppend(c.appendVector))
	}
	return broken
}

// verifyStatement opens the note and compares its text with what this program writes for the same values.
func verifyStatement(kind, source, vkey string, value *statementValue) error {
	opened, err := note.Open([]byte(source), note.VerifierList(must(note.NewVerifier(vkey))))
	if err != nil {
		return err
	}
	if text := formatStatement(kind, value); text != opened.Text {
		return fmt.Errorf("text %q, expected %q", opened.Text, text)
	}
	return nil
}
