"""Derivation to document (`notation`, `compose`), document to text (one file a format)."""
