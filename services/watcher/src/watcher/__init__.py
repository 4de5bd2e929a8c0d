"""The watcher: sees a report file change, proves that it is whole and valid, and publishes it."""
