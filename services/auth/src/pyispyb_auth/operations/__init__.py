"""What may be done: log in, refresh, log out, and the keys that sign."""
