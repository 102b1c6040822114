"""The page: a small chat client for people, which speaks the control address and nothing else."""

from __future__ import annotations

from sandbox.server.page.routes import page_routes

__all__ = ["page_routes"]
