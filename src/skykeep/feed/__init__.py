"""Where bytes come from: files, sockets and the simulator."""
