"""Says whether an auth service can stand in the place of the PyISPyB suite's own."""
