// SPDX-License-Identifier: MIT
// A log from Go through the mount: go run mapped.go append|read|follow LOG ...
package main

import (
	"encoding/binary"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"syscall"
)

func must[T any](value T, err error) T {
	if err != nil {
		panic(err)
	}
	return value
}

func mapped(path string, prot, flags int) []byte {
	file := must(os.Open(path))
	defer file.Close()
	size := int(must(file.Stat()).Size()) // plus 1: nothing cannot be mapped
	return must(syscall.Mmap(int(file.Fd()), 0, size+1, prot, flags))[:size]
}

func readSegment(path string) {
	const read, write = syscall.PROT_READ, syscall.PROT_WRITE
	name := path[:len(path)-len(".idx")]
	records := mapped(path, read, syscall.MAP_SHARED)
	data := mapped(name+".log", read, syscall.MAP_SHARED)
	var index, start uint32
	fmt.Sscanf(filepath.Base(name), "%d", &index)
	for ; len(records) > 0; index++ {
		end := binary.LittleEndian.Uint32(records)
		fmt.Printf("%d: %s", index, data[start:end]) // panics if outside
		start, records = end, records[24:]
	}
	if start > 0 { // private: copied where written to, the log stays
		copied := mapped(name+".log", read|write, syscall.MAP_PRIVATE)
		copied[0] = '*'
		fmt.Printf("copy %c, log %c\n", copied[0], data[0])
	}
}

func main() {
	command, log := os.Args[1], os.Args[2]
	for _, text := range os.Args[3:] {
		must(0, os.WriteFile(log+"/append", []byte(text+"\n"), 0))
	}
	if command == "read" {
		for _, path := range must(filepath.Glob(log + "/segments/*.idx")) {
			readSegment(path)
		}
	} else if command == "follow" {
		must(io.Copy(os.Stdout, must(os.Open(log+"/follow"))))
	}
}
