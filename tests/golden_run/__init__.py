"""A planet's month, step by step by the real commands, kept as files: what must stay byte for byte when code moves."""
