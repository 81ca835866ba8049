"""The ISPyB database as nouns, and all authorization data in it."""
