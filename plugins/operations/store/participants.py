"""The credit of an ended operation, written down; and written anew when what it rests on has changed."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from plugins.operations.models import OperationParticipant
from plugins.operations.store.standing import credit_until, known_names

ROWS_PER_STATEMENT = 500


def write_participants(guild_id: int, operation_id: int, at: datetime, names: Mapping[int, str]) -> None:
    """Make the participants of an operation those who have credit now, each with their seconds.

    Who is a participant already keeps their name and standing.

    :param at: when the operation ended.
    :param names: what members are called now; for the rest the users table is asked.
    """
    earned = {
        user: each for user, each in credit_until(guild_id, operation_id, at).items() if each.seconds > 0
    }
    rows: Any = OperationParticipant.select().where(OperationParticipant.operation_id == operation_id)
    there = {row.user_id: row for row in rows}
    for user, row in there.items():
        mine = earned.get(user)
        if mine is None:
            row.delete_instance()
        elif (row.seconds, row.estimated) != (mine.seconds, mine.estimated):
            row.seconds, row.estimated = mine.seconds, mine.estimated
            row.save()
    fresh = [user for user in earned if user not in there]
    stored = known_names([user for user in fresh if user not in names])
    inserted = [
        {
            "operation_id": operation_id,
            "user_id": user,
            "name": names.get(user) or stored.get(user) or f"member {user}",
            "seconds": earned[user].seconds,
            "estimated": earned[user].estimated,
        }
        for user in fresh
    ]
    for first in range(0, len(inserted), ROWS_PER_STATEMENT):
        OperationParticipant.insert_many(inserted[first : first + ROWS_PER_STATEMENT]).execute()
