"""Durable jobs and the outbox: written in the same transaction as the change that needs them."""

from core.jobs.outbox import publish
from core.jobs.runner import JobRunner
from core.jobs.store import BACKOFF, JobState, enqueue

__all__ = ["BACKOFF", "JobRunner", "JobState", "enqueue", "publish"]
