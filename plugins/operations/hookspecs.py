"""The hooks that operations offers to other plugins."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from redlegion import hookspec

if TYPE_CHECKING:
    from plugins.operations.rules.values import OperationEnded, OperationStarted, OperationType
    from redlegion import Context


@hookspec
def register_operation_types() -> Sequence[OperationType]:  # type: ignore[empty-body]
    """Return the kinds of operation that the plugin brings; their names are kept in the database."""


@hookspec
async def on_operation_started(ctx: Context, event: OperationStarted) -> None:
    """Fires after the start of an operation is committed."""


@hookspec
async def on_operation_ended(ctx: Context, event: OperationEnded) -> None:
    """Fires after the end of an operation is committed, with its participants."""
