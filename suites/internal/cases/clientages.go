package cases

import "time"

// lifetime is how long a connection may be used in the cases below.
const lifetime = 10 * time.Second

// clientAgeCases are about connections that are opened before anyone asks, and that have to
// go although nothing is wrong with them.
var clientAgeCases = []Case{
	{
		Name:           "idle-lifetime",
		Claim:          "A connection that is older than its lifetime is not used again, however short it was idle; a younger one is.",
		Verdict:        "the number of connections opened",
		Source:         "database/sql: DB.SetConnMaxLifetime",
		ClientSettings: ClientSettings{MaxLifetime: lifetime},
		ClientBody: func(e *ClientEnv) {
			e.Do("r1").WantDone()
			opened := e.Opened()
			e.Advance(lifetime * 6 / 10)
			e.Do("r2").WantDone()
			e.WantOpened(opened, "it has lived for 0.6 of its time")
			e.Advance(lifetime * 6 / 10)
			e.Do("r3").WantDone()
			e.WantMoreOpened(opened, "the first has lived for 1.2 of its time")
		},
	},
	{
		Name:           "idle-lifetime-in-use",
		Claim:          "A connection whose lifetime ends during an operation serves that operation to its end, and none after it.",
		Verdict:        "the operation fails, or the connection is used again",
		Source:         "database/sql: DB.SetConnMaxLifetime",
		ClientSettings: ClientSettings{MaxLifetime: lifetime},
		ClientBody: func(e *ClientEnv) {
			e.Do("r1").WantDone()
			opened := e.Opened()
			e.Net.Hold("* server->client data")
			r2 := e.Do("r2")
			e.Advance(lifetime + time.Second)
			e.Net.Release("* server->client data")
			r2.WantDone("its connection was young enough when it began")
			e.Do("r3").WantDone()
			e.WantMoreOpened(opened, "the first is too old")
		},
	},
	{
		Name:           "idle-minimum",
		Claim:          "As many connections are open as have to be idle at least, although no operation asked for them.",
		Verdict:        "fewer connections are open",
		Source:         "pgxpool: Config.MinIdleConns",
		ClientSettings: ClientSettings{MaxConns: 4, MinIdle: 2},
		ClientBody: func(e *ClientEnv) {
			e.Do("r1").WantDone()
			e.Advance(time.Hour)
			if n := e.Open(); n < 2 {
				e.Errorf("%d connections are open after an hour, want 2 at least", n)
			}
		},
	},
	{
		Name:           "limit-minimum",
		Claim:          "Connections that are opened before anyone asks for them count against the limit.",
		Verdict:        "more connections and dials than the limit",
		Source:         "database/sql: DB.SetMaxOpenConns; pgxpool: Config.MaxConns",
		ClientSettings: ClientSettings{MaxConns: 2, MinIdle: 2},
		Bounds:         faults(300, 1),
		ClientBody: func(e *ClientEnv) {
			e.Do("r1").MayCancel()
			e.DoAll("r2", "r3")
			e.Rest()
		},
	},
}
