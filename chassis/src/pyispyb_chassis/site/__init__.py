"""The database that a site has: read once, and what of the known tables is really there."""
