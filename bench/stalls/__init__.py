"""How long a server stands still while a large report goes through it."""
