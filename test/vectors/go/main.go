// Command vectors makes the golden vectors of the wire protocol, and checks vectors that others made, with
// libraries that this project did not write.
//
//	go run . generate DIR   writes DIR/*.json; the same bytes every time
//	go run . verify FILE    checks the claims in FILE, one line per broken claim
package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
)

func main() {
	if len(os.Args) != 3 {
		fail(fmt.Errorf("usage: go run . generate DIR | go run . verify FILE"))
	}
	switch os.Args[1] {
	case "generate":
		for name, vectors := range map[string]any{
			"keys":         keyVectors(),
			"notes":        noteVectors(),
			"checkpoints":  checkpointVectors(),
			"cosignatures": cosignatureVectors(),
			"trees":        treeVectors(),
			"tlog-proofs":  proofVectors(),
			"statements":   statementVectors(),
			"appends":      appendVectors(),
		} {
			check(writeJSON(filepath.Join(os.Args[2], name+".json"), vectors))
		}
	case "verify":
		broken := verifyClaims(os.Args[2])
		for _, claim := range broken {
			fmt.Println(claim)
		}
		if len(broken) > 0 {
			os.Exit(1)
		}
	default:
		fail(fmt.Errorf("unknown command %q", os.Args[1]))
	}
}

func writeJSON(path string, value any) error {
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", " ")
	if err := encoder.Encode(value); err != nil {
		return err
	}
	return os.WriteFile(path, text.Bytes(), 0o644)
}

// check ends the program: a vector that the libraries refuse is a bug of the generator.
func check(err error) {
	if err != nil {
		fail(err)
	}
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, err)
	os.Exit(2)
}

func must[T any](value T, err error) T {
	check(err)
	return value
}
