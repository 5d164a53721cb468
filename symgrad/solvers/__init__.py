"""Searches that return witnesses; the checker verifies what they find."""
