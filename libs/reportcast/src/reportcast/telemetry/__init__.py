"""How a service tells how it fares: logs, metrics, health."""
