"""The tracker: kernels, association, lifecycle."""
