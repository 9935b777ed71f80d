"""Thirty minutes of everything that goes wrong, and afterwards the history against the truth."""
