"""Tokens of an issuer: nothing but what was agreed on gets in."""

from __future__ import annotations

import base64
import json
import time
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from casper_ray.errors import ConfigError
from casper_ray.serve.access.principal import Principal, Role
from casper_ray.serve.access.tokens import TokenProver
from casper_ray.serve.door.errors import DoorError
from casper_ray.serve.settings import JwtSettings

SECRET = "0123456789abcdef0123456789abcdef"
ISSUER, AUDIENCE = "https://issuer.example", "casper"
PEM, PUBLIC = serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo


def claims(**changed: Any) -> dict[str, Any]:
    now = int(time.time())
    good = {"iss": ISSUER, "aud": AUDIENCE, "sub": "robot:7", "role": "operator"}
    found = {**good, "iat": now, "nbf": now, "exp": now + 300, **changed}
    return {name: value for name, value in found.items() if value is not None}


def prover(
    folder: Path, key: bytes = SECRET.encode(), algorithm: str = "HS256", mode: int = 0o600
) -> TokenProver:
    path = folder / "key"
    path.write_bytes(key)
    path.chmod(mode)
    named = {"algorithm": algorithm, "key_file": path, "issuer": ISSUER, "audience": AUDIENCE}
    return TokenProver(JwtSettings.model_validate(named))


def signed(key: Any = SECRET, algorithm: str = "HS256", **changed: Any) -> str:
    return jwt.encode(claims(**changed), key, algorithm=algorithm)


def refused(proving: TokenProver, token: str) -> DoorError:
    with pytest.raises(DoorError) as found:
        proving.prove(token)
    assert found.value.status == 401
    assert not any(part and part in str(found.value.body()) for part in token.split("."))
    return found.value


def public(key: Any) -> bytes:
    data: bytes = key.public_key().public_bytes(PEM, PUBLIC)
    return data


def test_a_good_token_is_its_subject_in_its_role(tmp_path: Path) -> None:
    assert prover(tmp_path).prove(signed()) == Principal(id="robot:7", role=Role.OPERATOR, by="token")


@pytest.mark.parametrize(
    ("algorithm", "key"),
    [
        ("RS256", rsa.generate_private_key(65537, 2048)),
        ("ES256", ec.generate_private_key(ec.SECP256R1())),
        ("EdDSA", ed25519.Ed25519PrivateKey.generate()),
    ],
)
def test_tokens_of_public_keys_are_verified(tmp_path: Path, algorithm: str, key: Any) -> None:
    proving = prover(tmp_path, public(key), algorithm, 0o644)
    assert proving.prove(signed(key, algorithm)).role is Role.OPERATOR
    refused(proving, signed(key, algorithm)[:-8] + "AAAAAAAA")


@pytest.mark.parametrize("missing", ["exp", "nbf", "iat", "iss", "aud", "sub"])
def test_a_token_that_leaves_a_claim_out_is_refused(tmp_path: Path, missing: str) -> None:
    assert "lacks a claim" in str(refused(prover(tmp_path), signed(**{missing: None})))


@pytest.mark.parametrize(
    "changed",
    [
        {"aud": "somebody else"},
        {"iss": "https://other.example"},
        {"role": None},
        {"role": "root"},
        {"role": ["admin"]},
        {"role": "Admin"},
        {"sub": "key-abcdefghij"},
        {"sub": "ann@example.com"},
        {"sub": "a\nb"},
        {"sub": "a" * 129},
        {"sub": "' OR 1=1 --"},
        {"exp": "soon"},
    ],
)
def test_a_token_that_claims_something_else_is_refused(tmp_path: Path, changed: dict[str, Any]) -> None:
    refused(prover(tmp_path), signed(**changed))


def test_a_token_is_good_while_clocks_differ_by_less_than_is_allowed(tmp_path: Path) -> None:
    now = int(time.time())
    proving = prover(tmp_path)
    assert proving.prove(signed(exp=now - 20))
    assert proving.prove(signed(nbf=now + 20, iat=now + 20))


@pytest.mark.parametrize(
    ("changed", "said"),
    [({"exp": -60}, "has expired"), ({"nbf": 60}, "not good yet"), ({"iat": 60}, "not good yet")],
)
def test_a_clock_that_is_off_by_more_is_named_as_what_may_be_wrong(
    tmp_path: Path, changed: dict[str, int], said: str
) -> None:
    now = int(time.time())
    error = refused(prover(tmp_path), signed(**{name: now + by for name, by in changed.items()}))
    assert said in error.message
    assert "clock" in error.hint
    assert "30 s" in error.hint


def unsigned(header: dict[str, Any], **changed: Any) -> str:
    parts = (json.dumps(part).encode() for part in (header, claims(**changed)))
    return ".".join(base64.urlsafe_b64encode(part).rstrip(b"=").decode() for part in parts) + "."


@pytest.mark.parametrize("algorithm", ["none", "None", "NONE", "HS256", ""])
def test_an_unsigned_token_is_refused(tmp_path: Path, algorithm: str) -> None:
    refused(prover(tmp_path), unsigned({"alg": algorithm, "typ": "JWT"}))


def test_a_public_key_does_not_work_as_a_secret(tmp_path: Path) -> None:
    """The confusion of algorithms: a token that is signed with the public key's text, as HS256."""
    import hashlib
    import hmac

    text = public(rsa.generate_private_key(65537, 2048))
    forged = unsigned({"alg": "HS256", "typ": "JWT"}, role="admin")[:-1]
    mac = base64.urlsafe_b64encode(hmac.digest(text, forged.encode(), hashlib.sha256)).rstrip(b"=").decode()
    refused(prover(tmp_path, text, "RS256", 0o644), f"{forged}.{mac}")


def test_another_secret_of_the_same_algorithm_is_refused(tmp_path: Path) -> None:
    refused(prover(tmp_path), signed("f" * 32))
    refused(prover(tmp_path), signed(SECRET * 2, "HS512"))


def test_a_critical_header_that_nobody_knows_is_refused(tmp_path: Path) -> None:
    token = jwt.encode(claims(), SECRET, algorithm="HS256", headers={"crit": ["casper"], "casper": 1})
    refused(prover(tmp_path), token)


@pytest.mark.parametrize(
    "text", ["", ".", "..", "a.b", "a.b.c", "ä.b.c", "a" * 10_000, "e30.e30.e30", "\udc80.a.b"]
)
def test_what_is_no_token_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(DoorError):
        prover(tmp_path).prove(text)


@pytest.mark.parametrize(
    ("key", "algorithm", "mode", "said"),
    [
        (SECRET.encode(), "HS256", 0o644, "expected 0600"),
        (b"short", "HS256", 0o600, "no secret of at least 32 bytes"),
        (public(ec.generate_private_key(ec.SECP256R1())), "HS256", 0o600, "no secret"),
        (public(ec.generate_private_key(ec.SECP256R1())), "ES256", 0o666, "expected 0644"),
        (public(ec.generate_private_key(ec.SECP384R1())), "ES256", 0o644, "no public key for ES256"),
        (public(ec.generate_private_key(ec.SECP256R1())), "RS256", 0o644, "no public key for RS256"),
        (public(rsa.generate_private_key(65537, 1024)), "RS256", 0o644, "no public key for RS256"),
        (b"secret words", "EdDSA", 0o644, "no public key for EdDSA"),
    ],
)
def test_a_key_file_that_cannot_be_used_is_refused_at_the_start(
    tmp_path: Path, key: bytes, algorithm: str, mode: int, said: str
) -> None:
    with pytest.raises(ConfigError, match=said) as found:
        prover(tmp_path, key, algorithm, mode)
    assert "secret words" not in str(found.value)


def test_a_key_file_that_is_not_there_is_refused_at_the_start(tmp_path: Path) -> None:
    named = {"algorithm": "HS256", "key_file": tmp_path / "none", "issuer": ISSUER, "audience": AUDIENCE}
    with pytest.raises(ConfigError, match="is not there"):
        TokenProver(JwtSettings.model_validate(named))
