// Verifies a Tidegate ledger export with code that is not ours: the signed notes and the transparency log of Go's checksum
// database (golang.org/x/mod/sumdb). Ours here is only the reading of files: the path encoding of C2SP tlog-tiles and the length
// prefixes of entry bundles.
//
// Build: GO111MODULE=off GOPATH=/usr/share/gocode go build -o go-verify ./e2e/go-verify
// Usage: go-verify -dir EXPORT -key VKEY [-since CHECKPOINT]
package main

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

const height = 8

func main() {
	dir := flag.String("dir", "", "directory of the export")
	key := flag.String("key", "", "verifier key of the ledger")
	since := flag.String("since", "", "file with an older checkpoint")
	flag.Parse()
	if err := verify(*dir, *key, *since); err != nil {
		fmt.Fprintln(os.Stderr, "REFUSED:", err)
		os.Exit(1)
	}
}

func verify(dir, key, since string) error {
	verifier, err := note.NewVerifier(key)
	if err != nil {
		return fmt.Errorf("key: %w", err)
	}
	tree, err := openCheckpoint(filepath.Join(dir, "checkpoint"), verifier)
	if err != nil {
		return fmt.Errorf("checkpoint: %w", err)
	}
	reader := tlog.TileHashReader(tree, &tileFiles{dir: dir, cache: map[string][]byte{}})
	if err := verifyTiles(dir, tree, reader); err != nil {
		return err
	}
	proofs, err := verifyEntries(dir, tree, reader)
	if err != nil {
		return err
	}
	if since != "" {
		if err := verifyConsistency(since, verifier, tree, reader); err != nil {
			return fmt.Errorf("since: %w", err)
		}
	}
	fmt.Printf("VERIFIED %d entries, %d inclusion proofs, root %s\n", tree.N, proofs, tree.Hash)
	return nil
}

// openCheckpoint checks the signature with sumdb/note and reads the three lines of a C2SP checkpoint.
func openCheckpoint(path string, verifier note.Verifier) (tlog.Tree, error) {
	msg, err := os.ReadFile(path)
	if err != nil {
		return tlog.Tree{}, err
	}
	signed, err := note.Open(msg, note.VerifierList(verifier))
	if err != nil {
		return tlog.Tree{}, err
	}
	lines := strings.Split(signed.Text, "\n")
	if len(lines) < 4 || lines[0] != verifier.Name() {
		return tlog.Tree{}, fmt.Errorf("not a checkpoint of %s", verifier.Name())
	}
	size, err := strconv.ParseInt(lines[1], 10, 64)
	if err != nil || strconv.FormatInt(size, 10) != lines[1] || size < 0 {
		return tlog.Tree{}, fmt.Errorf("bad size %q", lines[1])
	}
	root, err := base64.StdEncoding.DecodeString(lines[2])
	if err != nil || len(root) != tlog.HashSize {
		return tlog.Tree{}, fmt.Errorf("bad root %q", lines[2])
	}
	tree := tlog.Tree{N: size}
	copy(tree.Hash[:], root)
	return tree, nil
}

// verifyTiles recomputes the root from the tiles, and every tile from tiles that lead to the root.
func verifyTiles(dir string, tree tlog.Tree, reader tlog.HashReader) error {
	if tree.N == 0 {
		return nil
	}
	root, err := tlog.TreeHash(tree.N, reader)
	if err != nil {
		return fmt.Errorf("tree hash: %w", err)
	}
	if root != tree.Hash {
		return fmt.Errorf("tiles have root %v, checkpoint says %v", root, tree.Hash)
	}
	for _, tile := range tlog.NewTiles(height, 0, tree.N) {
		// Older versions of x/mod name every partial tile on the way to the last; an export has the last only.
		if rest := tree.N>>(height*uint(tile.L)) - tile.N<<height; tile.W < 1<<height && int64(tile.W) < rest {
			continue
		}
		want, err := tlog.ReadTileData(tile, reader)
		if err != nil {
			return fmt.Errorf("%s: %w", tilePath(tile), err)
		}
		have, err := os.ReadFile(filepath.Join(dir, tilePath(tile)))
		if err != nil {
			return err
		}
		if !bytes.Equal(have, want) {
			return fmt.Errorf("%s differs", tilePath(tile))
		}
	}
	return nil
}

// verifyEntries hashes every entry and checks its inclusion proof; it returns the number of proofs.
func verifyEntries(dir string, tree tlog.Tree, reader tlog.HashReader) (int, error) {
	proofs := 0
	for start := int64(0); start < tree.N; start += 1 << height {
		tile := tlog.Tile{H: height, L: 0, N: start >> height, W: 1 << height}
		if tree.N-start < 1<<height {
			tile.W = int(tree.N - start)
		}
		path := strings.Replace(tilePath(tile), "tile/0/", "tile/entries/", 1)
		rest, err := os.ReadFile(filepath.Join(dir, path))
		if err != nil {
			return 0, err
		}
		for id := start; id < start+int64(tile.W); id++ {
			if len(rest) < 2 || len(rest) < 2+int(binary.BigEndian.Uint16(rest)) {
				return 0, fmt.Errorf("%s: cut off at entry %d", path, id)
			}
			entry := rest[2 : 2+int(binary.BigEndian.Uint16(rest))]
			rest = rest[2+len(entry):]
			proof, err := tlog.ProveRecord(tree.N, id, reader)
			if err != nil {
				return 0, fmt.Errorf("entry %d: %w", id, err)
			}
			if err := tlog.CheckRecord(proof, tree.N, tree.Hash, id, tlog.RecordHash(entry)); err != nil {
				return 0, fmt.Errorf("entry %d: %w", id, err)
			}
			proofs++
		}
		if len(rest) > 0 {
			return 0, fmt.Errorf("%s: %d bytes left over", path, len(rest))
		}
	}
	return proofs, nil
}

// verifyConsistency proves that the tree begins with the one of an older checkpoint.
func verifyConsistency(path string, verifier note.Verifier, tree tlog.Tree, reader tlog.HashReader) error {
	older, err := openCheckpoint(path, verifier)
	if err != nil {
		return err
	}
	if older.N > tree.N {
		return fmt.Errorf("the ledger had %d entries, now %d", older.N, tree.N)
	}
	if older.N == 0 {
		return nil
	}
	proof, err := tlog.ProveTree(tree.N, older.N, reader)
	if err != nil {
		return err
	}
	return tlog.CheckTree(proof, tree.N, tree.Hash, older.N, older.Hash)
}

// tileFiles reads tiles of height 8 from the layout of C2SP tlog-tiles.
type tileFiles struct {
	dir   string
	cache map[string][]byte
}

func (t *tileFiles) Height() int { return height }

func (t *tileFiles) SaveTiles([]tlog.Tile, [][]byte) {}

func (t *tileFiles) ReadTiles(tiles []tlog.Tile) ([][]byte, error) {
	all := make([][]byte, len(tiles))
	for i, tile := range tiles {
		path := tilePath(tile)
		data, ok := t.cache[path]
		if !ok {
			var err error
			if data, err = os.ReadFile(filepath.Join(t.dir, path)); err != nil {
				return nil, err
			}
			t.cache[path] = data
		}
		if len(data) != tile.W*tlog.HashSize {
			return nil, fmt.Errorf("%s has %d bytes", path, len(data))
		}
		all[i] = data
	}
	return all, nil
}

// tilePath is the path of C2SP tlog-tiles. The checksum database's own has the height in it: tile/8/0/001.
func tilePath(tile tlog.Tile) string {
	return strings.Replace(tile.Path(), "tile/8/", "tile/", 1)
}
