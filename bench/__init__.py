"""Side by side with peers, and against the project's own aims: `python -m bench`."""
