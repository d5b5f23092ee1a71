"""What leaves the site: hand-overs, streams and warnings, and the wires they take."""
