package view

import (
	"bytes"
	"cmp"
	"compress/gzip"
	"embed"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"html"
	"io"
	"os"
	"path"
	"path/filepath"
	"strings"
	"sync"
)

// assets has the page: its template, its style, its modules and the library that they
// use, lit-html, with its licence.
//
//go:embed assets
var assets embed.FS

// modules is the modules of the page by their names in import statements. They are
// data URLs in an import map, as a page of file:// can import no other file.
var modules = []string{"lit-html", "model", "layout", "timeline", "tables", "tree", "matrix", "app"}

// The beginnings of the element with the data of a page. Data that is large is compressed,
// and in base64.
const (
	dataTag   = `<script id="data" type="application/json">`
	packedTag = `<script id="data" type="application/gzip">`
	large     = 1 << 20
)

// WriteHTML writes the page. The same page has the same bytes.
func (p *Page) WriteHTML(w io.Writer) error {
	data, err := p.data() // which escapes < and >: no data ends the element
	if err != nil {
		return err
	}
	tag := dataTag
	if len(data) > large {
		var packed bytes.Buffer
		z, _ := gzip.NewWriterLevel(&packed, gzip.BestCompression)
		z.Write(data)
		z.Close()
		tag, data = packedTag, base64.StdEncoding.AppendEncode(nil, packed.Bytes())
	}
	page, err := frame()
	if err != nil {
		return err
	}
	begin, rest, _ := strings.Cut(page, "{{title}}")
	middle, end, _ := strings.Cut(rest, "{{data}}")
	for _, part := range []string{begin, html.EscapeString(p.Title), middle, tag} {
		if _, err := io.WriteString(w, part); err != nil {
			return err
		}
	}
	if _, err := w.Write(data); err != nil {
		return err
	}
	_, err = io.WriteString(w, "</script>"+end)
	return err
}

// frame returns the page without its title and its data, which are the same in no two pages.
var frame = sync.OnceValues(func() (string, error) {
	imports := make(map[string]string)
	for _, m := range modules {
		text, err := assets.ReadFile(path.Join("assets", m+".js"))
		if err != nil {
			return "", err
		}
		imports[m] = "data:text/javascript;base64," + base64.StdEncoding.EncodeToString(text)
	}
	importMap, err := json.Marshal(map[string]any{"imports": imports})
	if err != nil {
		return "", err
	}
	text := make(map[string]string)
	for _, name := range []string{"page.html", "style.css", "lit-html.LICENSE"} {
		b, err := assets.ReadFile(path.Join("assets", name))
		if err != nil {
			return "", err
		}
		text[name] = string(b)
	}
	return strings.NewReplacer(
		"{{style}}", text["style.css"],
		"{{imports}}", `<script type="importmap">`+string(importMap)+`</script>`,
		"{{licence}}", "<!--\nThis page contains lit-html.\n\n"+strings.TrimSpace(text["lit-html.LICENSE"])+"\n-->",
	).Replace(text["page.html"]), nil
})

// Save writes the page to a folder, which it makes, under the name of its title, and
// returns the whole name of the file.
func (p *Page) Save(dir string) (file string, err error) {
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return "", err
	}
	dir, err = filepath.Abs(dir)
	if err != nil {
		return "", err
	}
	file = filepath.Join(dir, fileName(p.Title)+".html")
	f, err := os.Create(file)
	if err != nil {
		return "", err
	}
	err = p.WriteHTML(f)
	return file, cmp.Or(err, f.Close())
}

// fileName returns a title as the name of a file.
func fileName(title string) string {
	return strings.Map(func(c rune) rune {
		if c == '-' || c == '_' || c == '.' || c >= '0' && c <= '9' || c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z' {
			return c
		}
		return '_'
	}, title)
}

// ReadHTML returns the page that WriteHTML has written.
func ReadHTML(r io.Reader) (*Page, error) {
	text, err := io.ReadAll(r)
	if err != nil {
		return nil, err
	}
	p := new(Page)
	if _, data, ok := bytes.Cut(text, []byte(dataTag)); ok {
		data, _, _ = bytes.Cut(data, []byte("</script>"))
		err = json.Unmarshal(data, p)
	} else if _, data, ok := bytes.Cut(text, []byte(packedTag)); ok {
		data, _, _ = bytes.Cut(data, []byte("</script>"))
		var z *gzip.Reader
		if z, err = gzip.NewReader(base64.NewDecoder(base64.StdEncoding, bytes.NewReader(data))); err == nil {
			err = json.NewDecoder(z).Decode(p)
		}
	} else {
		return nil, errors.New("this is no page of halfopen: it has no data")
	}
	if err != nil {
		return nil, fmt.Errorf("the data of this page is damaged or cut off: %w", err)
	}
	return p, nil
}
