"""The example of the README, run as it stands."""

from __future__ import annotations

import asyncio
import re
import sys
from pathlib import Path

FOLDER = Path(__file__).resolve().parents[1]


async def test_the_example_runs() -> None:
    found = re.search(r"```python\n(.*?)```", (FOLDER / "README.md").read_text(encoding="utf-8"), re.DOTALL)
    assert found is not None
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        found[1],
        cwd=FOLDER.parents[1],
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    said, errors = await asyncio.wait_for(process.communicate(), 60)
    assert said.decode() == "['hello', 'hello']\n", errors.decode()
