"""Public statements held against a record: a program of its own, with its own file and rights."""
