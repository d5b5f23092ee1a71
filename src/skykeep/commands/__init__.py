"""What the command line does, one noun a file; each returns its exit code."""
