package faultnet

// InFlight returns how many bytes are on their way to this end.
func (c *Conn) InFlight() int {
	c.link.mu.Lock()
	defer c.link.mu.Unlock()
	return c.in.buf.n - c.in.arrived
}
