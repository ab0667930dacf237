package main

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"strings"

	"github.com/transparency-dev/merkle/proof"
	"github.com/transparency-dev/merkle/rfc6962"
	"github.com/transparency-dev/merkle/testonly"
)

const treeLeaves = 33

type inclusion struct {
	Index uint64   `json:"index"`
	Size  uint64   `json:"size"`
	Proof [][]byte `json:"proof"`
}

type consistency struct {
	From  uint64   `json:"from"`
	Size  uint64   `json:"size"`
	Proof [][]byte `json:"proof"`
}

func leafData(i int) []byte { return []byte(fmt.Sprintf(`{"leaf":%d}`, i)) }

func newTree(leaves ...[]byte) *testonly.Tree {
	tree := testonly.New(rfc6962.DefaultHasher)
	tree.AppendData(leaves...)
	return tree
}

func treeVectors() any {
	var leaves [][]byte
	for i := range treeLeaves {
		leaves = append(leaves, leafData(i))
	}
	tree := newTree(leaves...)
	var roots [][]byte
	inclusions, consistencies := []inclusion{}, []consistency{}
	for size := uint64(0); size <= treeLeaves; size++ {
		roots = append(roots, tree.HashAt(size))
		if size > 9 && size%8 > 1 {
			continue
		}
		for at := uint64(0); at < size; at++ {
			path := must(tree.InclusionProof(at, size))
			check(proof.VerifyInclusion(rfc6962.DefaultHasher, at, size, tree.LeafHash(at), path, tree.HashAt(size)))
			inclusions = append(inclusions, inclusion{at, size, copyOf(path)})
			path = must(tree.ConsistencyProof(at+1, size))
			check(proof.VerifyConsistency(rfc6962.DefaultHasher, at+1, size, path, tree.HashAt(at+1), tree.HashAt(size)))
			consistencies = append(consistencies, consistency{at + 1, size, copyOf(path)})
		}
	}
	path := must(tree.InclusionProof(5, 9))
	back := must(tree.ConsistencyProof(5, 9))
	return map[string]any{
		"leaves": leaves, "roots": roots, "inclusion": inclusions, "consistency": consistencies,
		"invalidInclusion": []inclusion{
			{4, 9, path}, {5, 10, path}, {9, 9, path}, {5, 9, path[1:]}, {5, 9, append(copyOf(path), path[0])}, {5, 9, [][]byte{}}, {5, 9, reversed(path)},
		},
		"invalidConsistency": []consistency{
			{4, 9, back}, {5, 10, back}, {9, 5, back}, {5, 9, back[1:]}, {5, 9, append(copyOf(back), back[0])}, {5, 9, [][]byte{}}, {9, 9, back}, {5, 9, reversed(back)},
		},
	}
}

func copyOf(hashes [][]byte) [][]byte { return append([][]byte{}, hashes...) }

func reversed(hashes [][]byte) (back [][]byte) {
	for i := len(hashes) - 1; i >= 0; i-- {
		back = append(back, hashes[i])
	}
	return
}

type proofVector struct {
	Title string `json:"title"`
	Proof string `json:"proof"`
	Leaf  []byte `json:"leaf"`
	Vkey  string `json:"vkey"`
	Code  string `json:"code,omitempty"`
}

func formatProof(extra string, index uint64, path [][]byte, checkpoint string) string {
	text := "c2sp.org/tlog-proof@v1\n" + extra + fmt.Sprintf("index %d\n", index)
	for _, hash := range path {
		text += base64.StdEncoding.EncodeToString(hash) + "\n"
	}
	return text + "\n" + checkpoint
}

func proofVectors() any {
	device := newDevice(1)
	var valid []proofVector
	for _, at := range [][2]uint64{{0, 1}, {0, 2}, {5, 9}, {8, 9}, {32, 33}} {
		tree := testonly.New(rfc6962.DefaultHasher)
		for i := range int(at[1]) {
			tree.AppendData(leafData(i))
		}
		signed := device.sign(checkpointText(device.name, at[1], tree.Hash()))
		text := formatProof("", at[0], must(tree.InclusionProof(at[0], at[1])), signed)
		leaf := leafData(int(at[0]))
		check(verifyProof(text, leaf, device.vkey()))
		valid = append(valid, proofVector{fmt.Sprintf("leaf %d of %d", at[0], at[1]), text, leaf, device.vkey(), ""})
	}
	good := valid[2]
	withExtra := strings.Replace(good.Proof, "index", "extra ZXh0cmE=\nindex", 1)
	check(verifyProof(withExtra, good.Leaf, good.Vkey))
	valid = append(valid, proofVector{"extra data", withExtra, good.Leaf, good.Vkey, ""})
	bad := func(title, from, to, code string) proofVector {
		return proofVector{title, strings.Replace(good.Proof, from, to, 1), good.Leaf, good.Vkey, code}
	}
	return map[string]any{"valid": valid, "invalid": []proofVector{
		bad("other version", "@v1", "@v2", "ERR_PROOF"),
		bad("no index", "index 5\n", "", "ERR_PROOF"),
		bad("leading zero", "index 5", "index 05", "ERR_NUMBER"),
		bad("other index", "index 5", "index 4", "ERR_PROOF"),
		bad("index beyond the log", "index 5", "index 9", "ERR_PROOF"),
		bad("hash cut short", "index 5\n", "index 5\nAAAA\n", "ERR_PROOF"),
		bad("no empty line", "\n\n", "\n", "ERR_PROOF"),
		bad("changed checkpoint", "\n9\n", "\n10\n", "ERR_SIGNATURE"),
		{"other leaf", good.Proof, leafData(6), good.Vkey, "ERR_PROOF"},
		{"other key", good.Proof, good.Leaf, newDevice(2).vkey(), "ERR_SIGNATURE"},
	}}
}

// verifyProof follows "Verifying a tlog proof": the checkpoint by the note library, the path by the tree library.
func verifyProof(text string, leaf []byte, vkey string) error {
	head, checkpoint, found := strings.Cut(text, "\n\n")
	lines := strings.Split(head, "\n")
	if !found || lines[0] != "c2sp.org/tlog-proof@v1" {
		return fmt.Errorf("no tlog-proof")
	}
	lines = lines[1:]
	if strings.HasPrefix(lines[0], "extra ") {
		lines = lines[1:]
	}
	var index uint64
	if _, err := fmt.Sscanf(lines[0], "index %d", &index); err != nil {
		return err
	}
	var path [][]byte
	for _, line := range lines[1:] {
		hash, err := base64.StdEncoding.Strict().DecodeString(line)
		if err != nil {
			return err
		}
		path = append(path, hash)
	}
	if err := openNote(checkpoint, vkey); err != nil {
		return err
	}
	_, size, root, err := parseCheckpoint(checkpoint)
	if err != nil {
		return err
	}
	return proof.VerifyInclusion(rfc6962.DefaultHasher, index, size, rfc6962.DefaultHasher.HashLeaf(leaf), path, root)
}

func parseCheckpoint(source string) (origin string, size uint64, root []byte, err error) {
	lines := strings.SplitN(source, "\n", 4)
	if len(lines) < 4 {
		return "", 0, nil, fmt.Errorf("no checkpoint")
	}
	if _, err = fmt.Sscanf(lines[1], "%d", &size); err != nil {
		return
	}
	root, err = base64.StdEncoding.Strict().DecodeString(lines[2])
	return lines[0], size, root, err
}

// sameRoot says whether a log of these leaves has this root.
func sameRoot(leaves [][]byte, root []byte) bool { return bytes.Equal(newTree(leaves...).Hash(), root) }
