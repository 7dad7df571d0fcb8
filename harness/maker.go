package harness

import (
	"crypto/tls"
	"fmt"
	"net/http"
	"net/url"
	"reflect"
	"strconv"
	"strings"
	"time"

	"github.com/halfopen/halfopen/internal/nearest"
)

// Maker makes the transport that a script studies: on t.Net, with those
// settings. It returns an error for a setting that the transport cannot
// honour; the script does not apply to it then.
type Maker func(t *T, s Settings) (http.RoundTripper, error)

// Make makes the transport, and notes for printed scripts what it was asked for. If the maker
// refuses the settings, the test ends as not applicable.
func (m Maker) Make(t *T, s Settings) http.RoundTripper {
	rt, err := m(t, s)
	if err != nil {
		t.NotApplicable(err)
	}
	t.must(rt != nil, "the maker returned neither a transport nor an error")
	t.journal.settings = s
	if s.MaxConnsPerHost > 0 {
		t.LimitConns(s.MaxConnsPerHost)
	}
	return rt
}

// Settings has the fields of a transport that a script may set. The fields have the names
// and the meaning of those of [http.Transport], or of its HTTP2 field's; a zero
// field is not asked for.
type Settings struct {
	MaxIdleConns           int
	MaxIdleConnsPerHost    int
	MaxConnsPerHost        int
	IdleConnTimeout        time.Duration
	ResponseHeaderTimeout  time.Duration
	ExpectContinueTimeout  time.Duration
	DisableKeepAlives      bool
	DisableCompression     bool
	MaxResponseHeaderBytes int64
	TLSHandshakeTimeout    time.Duration
	ForceAttemptHTTP2      bool
	// Proxy is the URL of the proxy of every request.
	Proxy string
	// Protocols has the names of [http.Protocols], with a comma between two: "HTTP1,HTTP2".
	// A transport with UnencryptedHTTP2 alone speaks HTTP/2 for http URLs.
	Protocols string
	// StrictMaxConcurrentRequests is of [http.HTTP2Config].
	StrictMaxConcurrentRequests bool
}

// NetHTTP makes an [http.Transport], unmodified: it is a [Maker].
func NetHTTP(t *T, s Settings) (http.RoundTripper, error) {
	tr := t.Net.Transport()
	tr.TLSClientConfig = &tls.Config{RootCAs: TrustedRoots(), ClientSessionCache: tls.NewLRUClientSessionCache(0)}
	return tr, s.Apply(tr)
}

// Apply sets the fields of the struct that transport points to which have the
// names of the settings that are asked for. A setting of HTTP/2 may be in a field
// HTTP2 of type *[http.HTTP2Config] instead, which is made if it is nil. Apply
// returns an error for a setting that there is no such field for.
func (s Settings) Apply(transport any) error {
	from, to := reflect.ValueOf(s), reflect.ValueOf(transport).Elem()
	for i := range from.NumField() {
		name := from.Type().Field(i).Name
		if from.Field(i).IsZero() {
			continue
		}
		configureHTTP2(to, name)
		field := settingOf(to, name)
		if !field.IsValid() {
			return fmt.Errorf("%s has no setting %s", to.Type(), name)
		}
		value, err := inFull(name, from.Field(i))
		if err != nil {
			return fmt.Errorf("setting %s: %w", name, err)
		}
		switch field.Type() {
		case value.Type():
			field.Set(value)
		case from.Field(i).Type():
			field.Set(from.Field(i))
		default:
			return fmt.Errorf("%s has no setting %s", to.Type(), name)
		}
	}
	return nil
}

// inFull returns the value of a setting as a field of [http.Transport] has it, where that is
// more than a script can write.
func inFull(name string, value reflect.Value) (reflect.Value, error) {
	switch name {
	case "Proxy":
		u, err := url.Parse(value.String())
		return reflect.ValueOf(http.ProxyURL(u)), err
	case "Protocols":
		p, err := protocolsOf(value.String())
		return reflect.ValueOf(p), err
	}
	return value, nil
}

// protocolNames are those of [http.Protocols].
var protocolNames = []string{"HTTP1", "HTTP2", "UnencryptedHTTP2"}

// protocolsOf returns the protocols with those names.
func protocolsOf(names string) (*http.Protocols, error) {
	p := new(http.Protocols)
	for _, name := range strings.Split(names, ",") {
		switch name {
		case "HTTP1":
			p.SetHTTP1(true)
		case "HTTP2":
			p.SetHTTP2(true)
		case "UnencryptedHTTP2":
			p.SetUnencryptedHTTP2(true)
		default:
			return nil, fmt.Errorf("unknown protocol %q%s", name, nearest.ThereAre(name, protocolNames))
		}
	}
	return p, nil
}

// namesOf returns the names of the protocols, as protocolsOf takes them.
func namesOf(p *http.Protocols) string { return strings.Trim(p.String(), "{}") }

// settingOf returns the field of a transport that has the name of a setting, or that of
// its configuration of HTTP/2. It is not valid if there is none, or no configuration.
func settingOf(transport reflect.Value, name string) reflect.Value {
	if field := transport.FieldByName(name); field.IsValid() {
		return field
	}
	config := transport.FieldByName("HTTP2")
	if !config.IsValid() || config.Type() != reflect.TypeFor[*http.HTTP2Config]() || config.IsNil() {
		return reflect.Value{}
	}
	return config.Elem().FieldByName(name)
}

// configureHTTP2 makes a configuration of HTTP/2 for a transport that has none yet, if
// the setting of that name is in it and in no field of the transport's own.
func configureHTTP2(transport reflect.Value, name string) {
	_, ofHTTP2 := reflect.TypeFor[http.HTTP2Config]().FieldByName(name)
	config := transport.FieldByName("HTTP2")
	if ofHTTP2 && !transport.FieldByName(name).IsValid() && config.IsValid() &&
		config.Type() == reflect.TypeFor[*http.HTTP2Config]() && config.IsNil() {
		config.Set(reflect.ValueOf(new(http.HTTP2Config)))
	}
}

// set parses "Name=value" into the field of that name.
func (s *Settings) set(setting string) error {
	name, value, ok := strings.Cut(setting, "=")
	if !ok {
		return fmt.Errorf("want Name=value, got %q", setting)
	}
	v := reflect.ValueOf(s).Elem()
	f := v.FieldByName(name)
	if !f.IsValid() {
		var names []string
		for i := range v.NumField() {
			names = append(names, v.Type().Field(i).Name)
		}
		return fmt.Errorf("unknown setting %s%s", name, nearest.ThereAre(name, names))
	}
	var err error
	var want string
	switch p := f.Addr().Interface().(type) {
	case *string:
		*p = value
	case *int:
		*p, err = strconv.Atoi(value)
		want = "a whole number"
	case *int64:
		*p, err = strconv.ParseInt(value, 10, 64)
		want = "a whole number"
	case *bool:
		*p, err = strconv.ParseBool(value)
		want = "true or false"
	case *time.Duration:
		*p, err = time.ParseDuration(value)
		want = "90s, 1ms and the like"
	}
	if err != nil {
		return fmt.Errorf("setting %s: bad value %q: want %s", name, value, want)
	}
	if _, err = inFull(name, f); err != nil {
		return fmt.Errorf("setting %s: %w", name, err)
	}
	return nil
}
