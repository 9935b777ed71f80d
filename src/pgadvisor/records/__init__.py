"""The nouns: frozen dataclasses without I/O, the only things that stages exchange."""
