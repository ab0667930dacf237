// A client of the wire protocol, written from docs/PROTOCOL.md and the C2SP specifications alone, on libraries that
// this project did not write. Each step does something that a client does, checks what the page promises, and prints
// one line of JSON: {"step": …, …}. The first promise that is not kept ends the program with code 1.
package main

import (
	"crypto/rand"
	"encoding/json"
	"fmt"
	"os"
)

func main() {
	s := &server{url: os.Getenv("SERVER_URL"), tenant: os.Getenv("TENANT"), adminToken: os.Getenv("ADMIN_TOKEN")}
	token, stateFile := os.Getenv("ENROLMENT_TOKEN"), os.Getenv("STATE_FILE")
	switch {
	case len(os.Args) == 2 && os.Args[1] == "journey":
		journey(s, token, stateFile)
	case len(os.Args) == 2 && os.Args[1] == "restore":
		restore(s, token, stateFile)
	default:
		fmt.Fprintln(os.Stderr, "usage: go run . journey|restore")
		os.Exit(2)
	}
}

var current = "start"

// step names what is done now, for the message of a promise that is not kept.
func step(name string) {
	current = name
}

// done prints the result of the present step.
func done(result member) {
	result["step"] = current
	fmt.Println(string(must(json.Marshal(result))))
}

func check(ok bool, format string, values ...any) {
	if !ok {
		fmt.Fprintf(os.Stderr, "%s: %s\n", current, fmt.Sprintf(format, values...))
		os.Exit(1)
	}
}

func must[T any](value T, err error) T {
	ok(err)
	return value
}

func ok(err error) {
	check(err == nil, "%v", err)
}

func seed() []byte {
	b := make([]byte, 32)
	must(rand.Read(b))
	return b
}
