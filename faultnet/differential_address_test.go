//go:build linux

package faultnet_test

// Addresses: their form, their memory, and the one that stands for every host.
var addressCases = []differential{
	{claim: "the addresses of an IPv4 connection have four bytes",
		script: "c lengths; s lengths; l lengths"},
	{claim: "the addresses of a tcp4 connection have four bytes",
		script: "l listen tcp4; c dial tcp4; s accept; c lengths; s lengths; l lengths"},
	{claim: "a program that overwrites the addresses of its end changes no other",
		script: "c overwrite; s addresses; l lengths; c2 dial; s2 accept; c2 addresses; s2 addresses"},
	{claim: "a program that overwrites the addresses of an accepted end changes no other",
		script: "s overwrite; c addresses; c2 dial; s2 accept; s2 addresses"},
	{claim: "a program that overwrites a listener's address changes no connection",
		script: "l listen; c dial; l overwrite; s accept; s addresses; c addresses; c2 dial; s2 accept; s2 addresses"},
	{claim: "a listener on every address has four bytes in tcp4",
		script: "l listen tcp4,0.0.0.0:0; l lengths; c dial tcp4,127.0.0.1:PORT; s accept; s lengths; c lengths"},
	{claim: "a listener on every address is reached by each address of loopback",
		script: "l listen tcp4,0.0.0.0:0; c dial 127.0.0.1:PORT; s accept; c2 dial 127.0.0.2:PORT; s2 accept; " +
			"c write one; s read 10; c2 write two; s2 read 10"},
	{claim: "a listener on every address is reached by localhost",
		script: "l listen tcp4,0.0.0.0:0; c dial tcp4,localhost:PORT; s accept; c addresses; s addresses"},
	{claim: "a listener on every address is reached by that address",
		script: "l listen tcp4,0.0.0.0:0; c dial tcp4,0.0.0.0:PORT; s accept; c write hi; s read 10"},
	{claim: "a listener on every address leaves none on the same port",
		script: "l listen tcp4,0.0.0.0:0; l listen tcp4,127.0.0.1:PORT; l listen tcp4,0.0.0.0:PORT"},
	{claim: "a listener on one address leaves not every address on the same port",
		script: "l listen tcp4; l listen tcp4,0.0.0.0:PORT; c dial; s accept"},
	{claim: "a port of every address is free after the close",
		script: "l listen tcp4,0.0.0.0:0; l close; l listen tcp4,127.0.0.1:PORT"},
	{claim: "a dial to every address is refused where no program listens",
		script: "l unused; c dial tcp4,0.0.0.0:PORT"},
	{claim: "a listener on every address names the address that was dialed",
		script: "l listen tcp4,0.0.0.0:0; c dial tcp4,127.0.0.2:PORT; s accept; s closewrite; s write x"},
	{claim: "a connection by IPv4 to a listener on every address is read and written",
		script: "l listen 0.0.0.0:0; c dial 127.0.0.1:PORT; s accept; c lengths; c write hi; s read 10; s close; c read 1"},
}
