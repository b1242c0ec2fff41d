"""Which case a conversation is about: the last thing that the user said names one subject, and no more is read."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any, Final

from casper_ray.serve.door.errors import DoorError
from casper_ray.serve.openai_api.requests import Message, Part

FIELDS: Final = (
    "subject",
    "case_id",
    "order_id",
    "complaint_id",
    "transaction_id",
    "account_id",
    "account_token",
    "alert_group",
)
"""Keys of a JSON object that name a subject. Others in it are not looked at."""

SUBJECT_CHARS: Final = 200
_ID: Final = re.compile(
    r"""(?<![\w@-])(?:[a-z_]{1,20}:)?(?:
        [A-Z0-9]{6}(?:-L[0-9]{1,6})?                                           # an order
        | [CT][0-9A-F]{15,16}                                                  # a complaint, a transaction
        | acc_v[1-9][0-9]{0,5}_[a-z2-7]{26}(?:@[0-9]{4}-[0-9]{2}-[0-9]{2})?    # an account, its alerts of a day
    )(?![\w@-])""",
    re.ASCII | re.VERBOSE,
)
_HINT: Final = 'the last user message is {"subject": "ID"}, or has exactly one id in it'


def subject_named(messages: Sequence[Message]) -> str:
    """The subject that the last user message names: a JSON object's, the whole text, or the one id in it.

    Rules:  text is data: other messages, and whatever else this one says, change nothing.
    Raises: DoorError: 422 where it names none, or several.
    """
    text = _last_words(messages).strip()
    if text.startswith("{"):
        named = _of_object(text)
    elif text and len(text.split()) == 1:
        named = {text}
    else:
        named = set(_ID.findall(text))
    if len(named) != 1:
        raise DoorError(
            422, "the message names several cases" if named else "the message names no case", _HINT
        )
    (subject,) = named
    if len(subject) > SUBJECT_CHARS or not subject.isprintable():
        raise DoorError(422, "the message names no case", _HINT)
    return subject


def _last_words(messages: Sequence[Message]) -> str:
    """The text of the last message of a user. Raises: DoorError: 422 where there is none, or more than text in it."""
    last = next((message for message in reversed(messages) if message.role == "user"), None)
    if last is None or last.content is None:
        raise DoorError(422, "there is no message of a user", _HINT)
    if isinstance(last.content, str):
        return last.content
    return "\n".join(_text(part) for part in last.content)


def _text(part: Part) -> str:
    if part.text is None or part.type not in ("text", "input_text"):
        raise DoorError(422, "an agent reads text only", _HINT)
    return part.text


def _of_object(text: str) -> set[str]:
    """What a JSON object names. Raises: DoorError: 422 where it is none, or a name of it is no text."""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        raise DoorError(422, "the message begins like a JSON object, and is none", _HINT) from None
    return {_name(found[field]) for field in FIELDS if found.get(field) is not None}


def _name(value: Any) -> str:
    if not isinstance(value, str) or not value.strip():
        raise DoorError(422, "the subject is text", _HINT)
    return value.strip()
