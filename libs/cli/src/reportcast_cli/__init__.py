"""The command ``reportcast``: what a person, or a script, has in hand of the whole."""
