"""What a person's menu shows: commands in their language, and only those that they may use."""

from __future__ import annotations

from typing import Any

Json = dict[str, Any]
DEFAULT_LOCALE = "en-US"
_LOCALES = (
    "ar bg cs da de el en-GB en-US es-419 es-ES fi fr he hi hr hu id it ja ko lt nl no pl pt-BR ro ru sv-SE "
    "th tr uk vi zh-CN zh-TW"
)
LOCALES = frozenset(_LOCALES.split())
SUBCOMMAND, GROUP = 1, 2
_FALLS_BACK = {"en-US": "en-GB", "en-GB": "en-US", "es-419": "es-ES"}


def said(owner: Json, field: str, locale: str) -> str:
    """Return a name or description in a language, or as it was registered where there is no translation."""
    texts = owner.get(f"{field}_localizations") or {}
    for each in (locale, _FALLS_BACK.get(locale)):
        if each and texts.get(each):
            return str(texts[each])
    return str(owner.get(field) or "")


def is_named(owner: Json, word: str, locale: str) -> bool:
    """Whether a command, option or choice goes by a word: in the person's language, or as registered."""
    return word in {said(owner, "name", locale), owner["name"]}


def below(node: Json) -> list[Json]:
    """Return the sub-commands and groups of a command or group."""
    return [each for each in node.get("options") or [] if each["type"] in {SUBCOMMAND, GROUP}]


def descend(command: Json, words: tuple[str, ...], locale: str) -> tuple[tuple[str, ...], Json] | None:
    """Return the registered words below a command's name and what they lead to; None: not called so."""
    if not is_named(command, words[0], locale):
        return None
    node, found = command, list[str]()
    for word in words[1:]:
        inner = next((each for each in below(node) if is_named(each, word, locale)), None)
        if inner is None:
            return None
        node = inner
        found.append(str(inner["name"]))
    return None if below(node) else (tuple(found), node)


def entries(command: Json, locale: str) -> list[Json]:
    """Return the lines that a command makes in a menu: one for each path that can be called."""
    return list(_entries(command, command, (), (), locale))


def _entries(
    command: Json, node: Json, words: tuple[str, ...], shown: tuple[str, ...], locale: str
) -> list[Json]:
    words, shown = (*words, str(node["name"])), (*shown, said(node, "name", locale))
    inner = below(node)
    if inner:
        return [line for each in inner for line in _entries(command, each, words, shown, locale)]
    return [
        {
            "command": " ".join(words),
            "shown": " ".join(shown),
            "type": command["type"],
            "description": said(node, "description", locale),
            "options": [_option(each, locale) for each in node.get("options") or []],
        }
    ]


def _option(option: Json, locale: str) -> Json:
    plain = {key: value for key, value in option.items() if not key.endswith("_localizations")}
    plain |= {"shown": said(option, "name", locale), "description": said(option, "description", locale)}
    if option.get("choices"):
        plain["choices"] = [
            {"name": each["name"], "value": each["value"], "shown": said(each, "name", locale)}
            for each in option["choices"]
        ]
    return plain


def untranslated(node: Any) -> Any:
    """Return commands, all the way down, without their translations."""
    if isinstance(node, list):
        return [untranslated(each) for each in node]
    if isinstance(node, dict):
        return {
            name: untranslated(value) for name, value in node.items() if not name.endswith("_localizations")
        }
    return node
