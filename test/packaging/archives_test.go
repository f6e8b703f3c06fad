package packaging

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"debug/buildinfo"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// sizeLimit is of the plugin on any system, in bytes. It takes a third more where something finds methods by name, as text/template
// does: the linker then keeps all of them.
const sizeLimit = 38_000_000

// file is one of an archive.
type file struct {
	name    string
	mode    fs.FileMode
	owner   string
	content []byte
}

// TestArchives looks into each archive that the manifest names.
func TestArchives(t *testing.T) {
	m := shipped(t)
	license, err := os.ReadFile(root + "/LICENSE")
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range m.Spec.Platforms {
		t.Run(p.archive(), func(t *testing.T) {
			packed := unpack(t, p)
			var names []string
			for _, f := range packed {
				names = append(names, f.name)
				if f.owner != "root:root" {
					t.Errorf("%s belongs to %s", f.name, f.owner)
				}
			}
			slices.Sort(names)
			if want := []string{"LICENSE", p.Bin}; !slices.Equal(names, want) {
				t.Fatalf("the archive has %q, want %q", names, want)
			}
			if f := find(packed, "LICENSE"); !bytes.Equal(f.content, license) || f.mode != 0o644 {
				t.Errorf("LICENSE: %d bytes, %v", len(f.content), f.mode)
			}
			bin := find(packed, p.Bin)
			if bin.mode != 0o755 {
				t.Errorf("%s: %v", p.Bin, bin.mode)
			}
			if len(bin.content) > sizeLimit {
				t.Errorf("%s: %d bytes, more than %d", p.Bin, len(bin.content), sizeLimit)
			}
			builtFor(t, bin.content, p)
		})
	}
}

// TestChecksums compares checksums.txt, which is what a release signs, with the archives.
func TestChecksums(t *testing.T) {
	text, err := os.ReadFile(dist + "/checksums.txt")
	if err != nil {
		t.Fatal(err)
	}
	var want []string
	for _, p := range shipped(t).Spec.Platforms {
		want = append(want, fmt.Sprintf("%x  %s", sha256.Sum256(read(t, p)), p.archive()))
	}
	got := strings.Split(strings.TrimSpace(string(text)), "\n")
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// builtFor reads off the program what go built it for, and how.
func builtFor(t *testing.T, program []byte, p platform) {
	t.Helper()
	info, err := buildinfo.Read(bytes.NewReader(program))
	if err != nil {
		t.Fatal(err)
	}
	settings := map[string]string{}
	for _, s := range info.Settings {
		settings[s.Key] = s.Value
	}
	system := settings["GOOS"] + "/" + settings["GOARCH"]
	if found, err := p.selects(); err != nil || !slices.Equal(found, []string{system}) {
		t.Errorf("built for %s, and selected for %v, %v", system, found, err)
	}
	if settings["CGO_ENABLED"] != "0" || settings["-trimpath"] != "true" || settings["vcs"] != "" {
		t.Errorf("built with %v", settings)
	}
	if "https://"+info.Main.Path != homepage {
		t.Errorf("the program is of %s", info.Main.Path)
	}
}

func read(t *testing.T, p platform) []byte {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(dist, p.archive()))
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func find(packed []file, name string) file {
	return packed[slices.IndexFunc(packed, func(f file) bool { return f.name == name })]
}

// unpack takes the archive as krew does: first its checksum must be the manifest's.
func unpack(t *testing.T, p platform) []file {
	t.Helper()
	text := read(t, p)
	if sum := fmt.Sprintf("%x", sha256.Sum256(text)); sum != p.Sha256 {
		t.Fatalf("sha256 %s, the manifest says %s", sum, p.Sha256)
	}
	packed, err := untar(text)
	if strings.HasSuffix(p.URI, ".zip") {
		packed, err = unzip(text)
	}
	if err != nil {
		t.Fatal(err)
	}
	return packed
}

func untar(text []byte) ([]file, error) {
	unzipped, err := gzip.NewReader(bytes.NewReader(text))
	if err != nil {
		return nil, err
	}
	var packed []file
	for archive := tar.NewReader(unzipped); ; {
		header, err := archive.Next()
		if errors.Is(err, io.EOF) {
			return packed, nil
		} else if err != nil {
			return nil, err
		}
		content, err := io.ReadAll(archive)
		if err != nil {
			return nil, err
		}
		owner := header.Uname + ":" + header.Gname
		if header.Uid+header.Gid != 0 {
			owner = fmt.Sprint(header.Uid, ":", header.Gid)
		}
		packed = append(packed, file{header.Name, header.FileInfo().Mode(), owner, content})
	}
}

func unzip(text []byte) ([]file, error) {
	archive, err := zip.NewReader(bytes.NewReader(text), int64(len(text)))
	if err != nil {
		return nil, err
	}
	var packed []file
	for _, f := range archive.File {
		reader, err := f.Open()
		if err != nil {
			return nil, err
		}
		content, err := io.ReadAll(reader)
		if err != nil {
			return nil, err
		}
		packed = append(packed, file{f.Name, f.Mode(), "root:root", content}) // a zip has no owners
	}
	return packed, nil
}
