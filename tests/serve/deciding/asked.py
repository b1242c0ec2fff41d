"""What tests ask keepers and proposers for."""

from __future__ import annotations

from collections.abc import Sequence

from casper_ray.serve.access.principal import Principal, Role
from casper_ray.serve.deciding.group import Answer
from casper_ray.serve.door.errors import DoorError
from casper_ray.serve.door.services import Made, Wanted

OPERATOR = Principal(id="op-1", role=Role.OPERATOR, by="key")


def wanted(subject: str, *, key: str = "", body: str = "", agent: str = "refund") -> Wanted:
    return Wanted(
        agent=agent,
        subject=subject,
        who=OPERATOR,
        request_id=f"r-{subject}",
        route="/v1/agents/{agent}/decisions",
        key_digest=key,
        body_digest=body or (subject if key else ""),
    )


def made(answers: Sequence[Answer]) -> list[Made]:
    """The answers, all of which are decisions."""
    found = [answer for answer in answers if isinstance(answer, Made)]
    assert len(found) == len(answers), [answer for answer in answers if isinstance(answer, DoorError)]
    return found


def refused(answer: Answer) -> DoorError:
    assert isinstance(answer, DoorError), answer
    return answer
