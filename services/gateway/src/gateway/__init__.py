"""The gateway: follows the broker and broadcasts to every client. Stateless: rebuilt from the broker in one read."""
