"""Serial crystallography: runs and per-image results."""
