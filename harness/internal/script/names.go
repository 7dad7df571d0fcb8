package script

import (
	"fmt"
	"net"
	"net/url"
	"slices"

	"github.com/halfopen/halfopen/internal/nearest"
)

// places is the addresses and the hosts that the lines of a script name.
type places struct{ addresses, hosts []string }

// add adds what an argument of that kind names.
func (p *places) add(kind, arg string) {
	switch kind {
	case "HOST", "HOSTS...":
		p.hosts = append(p.hosts, arg)
	case "ADDR", "FROM", "TO":
		host, _, _ := net.SplitHostPort(arg)
		p.hosts, p.addresses = append(p.hosts, host), append(p.addresses, arg)
	case "URL":
		u, err := url.Parse(arg)
		if err != nil {
			return
		}
		p.hosts, p.addresses = append(p.hosts, u.Hostname()), append(p.addresses, AddressOf(u))
	}
}

// AddressOf returns the "host:port" of a URL.
func AddressOf(u *url.URL) string {
	port := u.Port()
	switch {
	case port != "":
	case u.Scheme == "https":
		port = "443"
	default:
		port = "80"
	}
	return net.JoinHostPort(u.Hostname(), port)
}

// findPlaces notes which lines do something to a server or a host that no other line names: they
// would do nothing.
func (l *Language) findPlaces(s *Script) {
	var named places
	each := func(acts bool, f func(c *Command, kind, arg string)) {
		for i := range s.Commands {
			c := &s.Commands[i]
			v := l.verb(c.Verb)
			if v == nil || v.Acts != acts {
				continue
			}
			params := v.params()
			for i, arg := range c.Args {
				f(c, params[min(i, len(params)-1)].kind, arg)
			}
		}
	}
	each(false, func(_ *Command, kind, arg string) { named.add(kind, arg) })
	each(true, func(c *Command, kind, arg string) {
		switch {
		case kind == "ADDR" && !slices.Contains(named.addresses, arg):
			c.Idle = fmt.Sprintf("no line has a server on %s%s", arg, nearest.DidYouMean(arg, named.addresses))
		case kind == "HOST" && !slices.Contains(named.hosts, arg):
			c.Idle = fmt.Sprintf("no line names a host %s%s", arg, nearest.DidYouMean(arg, named.hosts))
		}
	})
}
