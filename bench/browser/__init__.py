"""What the dashboard does in a real browser: how soon it shows a change, how it loads, how it bears a large report."""
