package subjects

import (
	"bufio"
	"context"
	"database/sql/driver"
	"errors"
	"io"
	"net"
	"strings"

	"github.com/go-sql-driver/mysql"

	"github.com/halfopen/halfopen/harness"
	"github.com/halfopen/halfopen/suites"
)

// MySQL makes a [sql.DB] over the driver go-sql-driver/mysql.
func MySQL(t *harness.T, s suites.ClientSettings) (suites.Client, error) {
	if s.Fallback != "" || s.TLS != nil {
		return nil, errors.New("the driver knows one server, which asks for TLS in its first packet")
	}
	cfg := mysql.NewConfig()
	cfg.User, cfg.Net, cfg.Addr, cfg.ReadTimeout = "someone", "halfopen", s.Addr, s.Timeout // for handshakes: a DB may dial with a context that does not end
	cfg.Logger = &mysql.NopLogger{}                                                         // the package logs each connection that breaks
	c, err := mysql.NewConnector(cfg)
	if err != nil {
		return nil, err
	}
	return sqlClientOf(mysqlConnector{c, t.Net}, selectText, s, s.Timeout)
}

// mysqlConnector has the driver dial a network, which its dial function finds in the context. Config.DialFunc
// would do, but versions before v1.9 have none, and peers/reports runs one of these.
type mysqlConnector struct {
	driver.Connector
	net *harness.Net
}

type mysqlNet struct{}

func init() {
	mysql.RegisterDialContext("halfopen", func(ctx context.Context, addr string) (net.Conn, error) {
		return ctx.Value(mysqlNet{}).(*harness.Net).DialContext(ctx, "tcp", addr)
	})
}

func (c mysqlConnector) Connect(ctx context.Context) (driver.Conn, error) {
	return c.Connector.Connect(context.WithValue(ctx, mysqlNet{}, c.net))
}

// MySQLServer runs a server on the network that accepts every user, and answers
// select '...' with the text between the quotes.
func MySQLServer(t *harness.T, addr string) {
	suites.ServeConns(t, addr, func(c net.Conn) {
		r := bufio.NewReader(c)
		// Protocol 10, version, process, challenge; the capabilities LONG_PASSWORD, PROTOCOL_41
		// and SECURE_CONNECTION, then PLUGIN_AUTH; utf8mb4; autocommit; the rest of the challenge.
		if sendPackets(c, 0, "\x0a8.4.0\x00"+"\x01\x00\x00\x00"+"challeng\x00"+"\x01\x82"+"\x2d"+"\x02\x00"+"\x08\x00"+
			"\x15"+strings.Repeat("\x00", 10)+"e to answer!\x00"+"mysql_native_password\x00") != nil {
			return
		}
		const ok, eof = "\x00\x00\x00\x02\x00\x00\x00", "\xfe\x00\x00\x02\x00"
		if _, err := readPacket(r); err != nil || sendPackets(c, 2, ok) != nil {
			return
		}
		for {
			p, err := readPacket(r)
			if err != nil || !strings.HasPrefix(p, "\x03") { // COM_QUERY
				return
			}
			_, text, _ := strings.Cut(p, "'")
			text, _, _ = strings.Cut(text, "'")
			// One column "heard" of text, whose other names are empty.
			column := "\x03def\x00\x00\x00\x05heard\x00" + "\x0c" + "\x2d\x00" + "\xff\x00\x00\x00" + "\xfd" + "\x00\x00\x00\x00\x00"
			if sendPackets(c, 1, "\x01", column, eof, string(rune(len(text)))+text, eof) != nil {
				return
			}
		}
	})
}

// sendPackets sends packets in one piece, numbered from first on.
func sendPackets(w io.Writer, first byte, packets ...string) error {
	var b strings.Builder
	for i, p := range packets {
		b.Write([]byte{byte(len(p)), 0, 0, first + byte(i)})
		b.WriteString(p)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// readPacket reads a packet and returns its payload.
func readPacket(r io.Reader) (string, error) {
	var head [4]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return "", err
	}
	p := make([]byte, int(head[0])|int(head[1])<<8|int(head[2])<<16)
	_, err := io.ReadFull(r, p)
	return string(p), err
}

var mysqlQuirks []suites.Quirk
