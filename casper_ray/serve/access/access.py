"""Who asks: what `door.services.Access` promises, kept by keys, tokens and rates."""

from __future__ import annotations

from typing import Final

from casper_ray.serve.access.key_file import keys_path
from casper_ray.serve.access.key_prover import STRANGERS, KeyProver
from casper_ray.serve.access.live_keys import LiveKeys
from casper_ray.serve.access.principal import Principal
from casper_ray.serve.access.rates import Rates
from casper_ray.serve.access.refusals import not_proved, too_often
from casper_ray.serve.access.tokens import TokenProver
from casper_ray.serve.door.errors import DoorError
from casper_ray.serve.operations.instruments import DOOR
from casper_ray.serve.settings import ServeSettings

_TRIES_PER_S, _TRIES_AT_ONCE = 5.0, 20
_SCHEME: Final = "bearer "
_HINT: Final = "send `Authorization: Bearer KEY`"


class Access:
    """Lets in whoever has a key or a token, as often as their rate allows. One for each door's process."""

    def __init__(self, keys: KeyProver, tokens: TokenProver | None, rates: Rates, tries: Rates) -> None:
        self._keys, self._tokens, self._rates, self._tries = keys, tokens, rates, tries

    async def principal(self, authorization: str | None) -> Principal:
        """Raises: DoorError: 401; 429 where their rate, or the one of those who are not known, is used up."""
        try:
            found = await self._proved(_bearer(authorization))
        except DoorError:
            DOOR.authenticated("refused")
            raise
        if wait_s := self._rates.take(found.id):
            raise too_often(wait_s, "more requests than this key or token may send")
        return found

    async def _proved(self, text: str) -> Principal:
        if text.startswith("crk_"):
            return await self._keys.prove(text)
        try:
            if self._tokens is None:
                raise not_proved("this is not a key of this door", _HINT)
            found = self._tokens.prove(text)
            DOOR.authenticated("proved")
            return found
        except DoorError:
            if wait_s := self._tries.take(STRANGERS):
                raise too_often(wait_s, "too many tokens that are not known") from None
            raise


def build_access(settings: ServeSettings) -> Access:
    """The access of a door. Raises: ConfigError where tokens' key cannot be used."""
    tries = Rates(_TRIES_PER_S, _TRIES_AT_ONCE)
    rate, jwt = settings.access.rate, settings.access.jwt
    return Access(
        KeyProver(LiveKeys(keys_path(settings)), tries),
        TokenProver(jwt) if jwt else None,
        Rates(rate.per_s, rate.burst),
        tries,
    )


def _bearer(authorization: str | None) -> str:
    if not authorization:
        raise not_proved("who asks is not said", _HINT)
    if authorization[: len(_SCHEME)].lower() != _SCHEME:
        raise not_proved("the header Authorization has another scheme than Bearer", _HINT)
    return authorization[len(_SCHEME) :].strip()
