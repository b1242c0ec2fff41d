"""Tokens that somebody else issued (JWT): one algorithm, one issuer, one audience, and nothing left out."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from casper_ray.serve.access.principal import Principal, Role
from casper_ray.serve.access.refusals import not_proved
from casper_ray.serve.access.token_key import load_token_key
from casper_ray.serve.door.errors import DoorError
from casper_ray.serve.settings import JwtSettings

if TYPE_CHECKING:
    from jwt import PyJWTError

_REQUIRED: Final = ("exp", "nbf", "iat", "iss", "aud", "sub")
_SUBJECT: Final = re.compile(r"(?!key-)[A-Za-z0-9][A-Za-z0-9._:|/-]{0,127}")
"""Not of the form of a key's id, which would be somebody else; not an e-mail address, since it is kept in tables."""
_LONGEST: Final = 8_192


class TokenProver:
    """Proves tokens of one issuer. Raises: ConfigError where the key's file cannot be used."""

    def __init__(self, settings: JwtSettings) -> None:
        self._settings = settings
        self._key = load_token_key(settings.algorithm, settings.key_file)

    def prove(self, text: str) -> Principal:
        """Raises: DoorError 401, which holds nothing of the token."""
        if len(text) > _LONGEST or not text.isascii():
            raise not_proved("this is neither a key nor a token", f"ASCII, {_LONGEST} characters at most")
        claims = self._claims(text)
        role, subject = claims.get(self._settings.role_claim), claims["sub"]
        if not isinstance(role, str) or role not in set(Role):
            raise not_proved(
                "the token names no role",
                f"its claim {self._settings.role_claim!r} has to be one of {_ROLES}",
            )
        if not _SUBJECT.fullmatch(subject):
            raise not_proved(
                "the token's subject cannot be used", "an id of at most 128 letters, digits and . _ : | / -"
            )
        return Principal(id=subject, role=Role(role), by="token")

    def _claims(self, text: str) -> Mapping[str, Any]:
        import jwt

        try:
            claims: Mapping[str, Any] = jwt.decode(
                text,
                self._key,
                algorithms=[self._settings.algorithm],
                issuer=self._settings.issuer,
                audience=self._settings.audience,
                leeway=self._settings.leeway_s,
                options={"require": list(_REQUIRED)},
            )
        except jwt.PyJWTError as error:
            raise self._refused(error) from None
        return claims

    def _refused(self, error: PyJWTError) -> DoorError:
        import jwt

        clocks = (
            f"is the clock right, here and there? {self._settings.leeway_s:g} s of difference are allowed"
        )
        match error:
            case jwt.ExpiredSignatureError():
                return not_proved("the token has expired", f"get a new one; or {clocks}")
            case jwt.ImmatureSignatureError():
                return not_proved("the token is not good yet", clocks)
            case jwt.MissingRequiredClaimError():
                return not_proved("the token lacks a claim", f"it needs {', '.join(_REQUIRED)}")
            case jwt.InvalidAudienceError() | jwt.InvalidIssuerError():
                return not_proved(
                    "the token is not from this door's issuer, or not for this door", "see `access.jwt`"
                )
        return not_proved("the token cannot be verified", f"{self._settings.algorithm} of this door's issuer")


_ROLES: Final = ", ".join(Role)
