//go:build linux

package faultnet_test

// A case that begins with a call on a socket gets s, which listens, and c, which dialed it.
var packetCases = []differential{
	// What is sent and read.
	{claim: "a packet is read as it was sent", script: "c write hello; s readfrom 10"},
	{claim: "two packets are read one by one", script: "c write one; c write two; s readfrom 10; s readfrom 10"},
	{claim: "packets go both ways", script: "c write hi; s readfrom 10; s writeto c ho; c read 10"},
	{claim: "a dialed socket tells where a packet is from", script: "s writeto c ho; c readfrom 10"},
	{claim: "what does not fit into the reader's buffer is lost", script: "c write hello; c write x; s readfrom 2; s readfrom 10"},
	{claim: "the same for a dialed socket's Read", script: "s writeto c hello; s writeto c x; c read 2; c read 10"},
	{claim: "a packet without bytes arrives", script: "c write 0; s readfrom 10; c write x; s readfrom 10"},
	{claim: "a packet without bytes is no end of file", script: "s writeto c 0; c read 10; s writeto c x; c read 10"},
	{claim: "a Read into no bytes takes no packet", script: "s writeto c hello; c read 0; c read 10"},
	{claim: "a Read into no bytes does not block", script: "c read 0"},
	{claim: "a ReadFrom into no bytes takes a packet", script: "c write hello; c write x; s readfrom 0; s readfrom 10"},
	{claim: "a blocked read gets the next packet", script: "s readfrom 10; c write hello"},
	{claim: "a blocked read gets a packet without bytes", script: "c read 10; s writeto c 0"},
	{claim: "the largest packet arrives whole", script: "c write 65507; s readfrom 70000"},
	{claim: "a larger one is too long", script: "c write 65508; s writeto c 65508; c write x; s readfrom 10"},
	{claim: "a packet that is too long does not take an error", script: "s close; c write x; c write 65508; c read 10"},
	{claim: "a socket can send to itself", script: "s writeto s me; s readfrom 10"},
	{claim: "Read on a socket that was not dialed takes a packet of any sender", script: "c write one; s read 10; d dial 127.0.0.1:s; d write two; s read 10"},

	// Addresses.
	{claim: "a dialed socket has both addresses", script: "c addresses; s addresses"},
	{claim: "a socket on every address", script: "a listen :0; a addresses; c dial 127.0.0.1:a; c write x; a readfrom 10; a writeto c y; c readfrom 10"},
	{claim: "a socket on every IPv4 address", script: "a listen udp4,:0; a addresses; c dial 127.0.0.1:a; c write x; a readfrom 10; a writeto c y; c readfrom 10"},
	{claim: "a socket on 0.0.0.0", script: "a listen 0.0.0.0:0; a addresses; c dial 127.0.0.1:a; c write x; a readfrom 10"},
	{claim: "a socket on every address sends from the loopback address", script: "s listen; a listen :0; a writeto s x; s readfrom 10; s writeto a y; a readfrom 10"},
	{claim: "a dial of 0.0.0.0 reaches the loopback address", script: "s listen; c dial 0.0.0.0:s; c addresses; c write x; s readfrom 10"},
	{claim: "a packet to 0.0.0.0 reaches the loopback address", script: "s listen; a listen; a writeto 0.0.0.0@s x; s readfrom 10"},
	{claim: "a packet to no address reaches the loopback address", script: "s listen; a listen; a writeto none@s x; s readfrom 10"},
	{claim: "an address that is taken", script: "s listen; a listen 127.0.0.1:s; a listen udp4,127.0.0.1:s"},
	{claim: "every address where one is taken", script: "s listen; a listen :s; a listen 0.0.0.0:s"},
	{claim: "an address where every one is taken", script: "s listen :0; a listen 127.0.0.1:s"},
	{claim: "an address is free after a close", script: "s listen; s close; a listen 127.0.0.1:s; a addresses"},
	{claim: "an unknown network", script: "a listen udp5,127.0.0.1:0; c dial udp5,127.0.0.1:9"},
	{claim: "a port that is none", script: "a listen 127.0.0.1:70000; s listen 127.0.0.1:x; c dial 127.0.0.1:x"},
	{claim: "an address of the other family", script: "a listen udp6,127.0.0.1:0; c dial udp6,127.0.0.1:9"},

	// Errors of writes.
	{claim: "a write on a socket that was not dialed has no destination", script: "s write x; s write 0"},
	{claim: "a dialed socket cannot send to an address", script: "c writeto s x"},
	{claim: "a destination of another kind", script: "s writeto tcp x; s writeto nil x"},
	{claim: "a destination without a port", script: "s writeto zero x"},
	{claim: "a destination of IPv6 from a socket of IPv4", script: "s writeto v6 x"},
	{claim: "a destination outside from a loopback address", script: "s writeto outside x"},

	// What no socket takes.
	{claim: "a packet to a closed port fails the next read", script: "s close; c write x; c read 10; c write y; c read 10"},
	{claim: "a packet to a closed port fails the next write", script: "s close; c write x; c write y; c write z; c write 0"},
	{claim: "the error is reported once", script: "s close; c write x; c read 10; s listen 127.0.0.1:s; c write y; s readfrom 10"},
	{claim: "a blocked read ends with the error", script: "s close; c read 10; c write x"},
	{claim: "the error comes before a packet that has arrived", script: "s writeto c hello; s close; c write x; c read 10; c read 10"},
	{claim: "a packet without bytes to a closed port", script: "s close; c write 0; c read 10"},
	{claim: "a socket that was not dialed gets no error", script: "s listen; a listen; s close; a writeto s x; a writeto s y; a readdeadline past; a readfrom 10"},
	{claim: "a packet of a stranger does not reach a dialed socket", script: "s listen; c dial 127.0.0.1:s; a listen; a writeto c x; s writeto c y; c read 10"},
	{claim: "a stranger that dialed a dialed socket is refused", script: "s listen; c dial 127.0.0.1:s; d dial 127.0.0.1:c; d write x; d read 10; s writeto c y; c read 10"},
	{claim: "ReadFrom names its own system call", script: "s close; c write x; c readfrom 10"},

	// Closing.
	{claim: "a close ends a blocked read", script: "s readfrom 10; s close"},
	{claim: "a close ends two blocked reads", script: "s readfrom 10; s readfrom 20; s close"},
	{claim: "calls fail after a close", script: "c close; c read 10; c readfrom 10; c write x; c read 0"},
	{claim: "calls of a socket that was not dialed fail after a close", script: "s close; s read 10; s readfrom 10; s writeto c x; s readfrom 0"},
	{claim: "a second close fails", script: "c close; c close; s close; s close"},
	{claim: "nothing can be set after a close", script: "c close; c deadline later; c readdeadline none; c writedeadline past; c readbuffer 10000; c writebuffer 10000"},
	{claim: "what was sent before a close arrives", script: "c write hello; c close; s readfrom 10"},
	{claim: "a close of the client is not seen by the server", script: "c write hello; c close; s readfrom 10; s writeto c x; s writeto c y"},

	// Deadlines.
	{claim: "a read deadline that passes ends a blocked read", script: "s readdeadline soon; s readfrom 10; pass; s readfrom 10"},
	{claim: "a past deadline ends a blocked read", script: "s readfrom 10; s readdeadline past"},
	{claim: "a past deadline comes before a packet", script: "c write hello; s readdeadline past; s readfrom 10; s readdeadline none; s readfrom 10"},
	{claim: "a past deadline comes before an error and does not take it", script: "s close; c write x; c deadline past; c read 10; c write y; c deadline none; c read 10"},
	{claim: "a write deadline fails writes and no reads", script: "c writedeadline past; c write x; s writeto c y; c read 10; c writedeadline none; c write z; s readfrom 10"},
	{claim: "a past deadline comes before a packet that is too long", script: "c writedeadline past; c write 65508"},
	{claim: "a deadline that was moved away", script: "s readdeadline past; s readdeadline later; s readfrom 10; c write x"},

	// Buffers.
	{claim: "a full receive buffer drops what comes", script: "c dial 127.0.0.1:9; s listen; a listen; a flood s 1000 1; s count 1000; a writeto s x; s readfrom 10"},
	{claim: "a full receive buffer with larger packets", script: "s listen; a listen; a flood s 300 1200; s count 300"},
	{claim: "a receive buffer that is made small", script: "s listen; s readbuffer 10000; a listen; a flood s 100 1; s count 100"},
	{claim: "a receive buffer as small as it gets", script: "s listen; s readbuffer 1; a listen; a flood s 100 1; s count 100"},
	{claim: "a receive buffer of the usual size", script: "s listen; a listen; a flood s 200 1; s count 200"},
	{claim: "a full receive buffer drops packets without bytes", script: "s listen; a listen; a flood s 1000 0; s count 1000"},
	{claim: "buffers take any number", script: "s readbuffer 0; s readbuffer -1; s writebuffer 0; s writebuffer -1; s writebuffer 100000000"},
}
