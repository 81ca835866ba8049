"""Reads, lints, fills and renders gateway/kong.yml, the single source of every public path."""
