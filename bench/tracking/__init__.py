"""One tracking scenario, one scorer, and a runner for each tracker that is compared."""
