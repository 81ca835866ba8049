"""Nouns: declared, not programmed. One engine reads and writes them all."""
