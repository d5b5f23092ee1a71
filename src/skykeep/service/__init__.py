"""The running site over HTTP: one writer owns the record, everybody else asks it."""
