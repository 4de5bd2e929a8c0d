"""The endpoints. Source: docs/protocol.md, Endpoints."""
