"""Nouns: declared, not programmed. One engine lists, gets, creates, patches and deletes them all."""
