"""The key by which tokens of an issuer are verified."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

from casper_ray.errors import ConfigError
from casper_ray.security.private_file import OTHERS, OTHERS_WRITE, read_private_file

_LEAST_SECRET_BYTES: Final = 32
_LEAST_RSA_BITS: Final = 2_048


def load_token_key(algorithm: str, path: Path) -> Any:
    """The secret of HS256 as bytes, or the public key of the others, as PyJWT takes them.

    Raises: ConfigError where the file is not there, a secret can be read or a public key be changed by others, or it
    is no key of the algorithm; quotes nothing of it.
    """
    symmetric = algorithm == "HS256"
    data = read_private_file(path, "key of tokens", forbidden=OTHERS if symmetric else OTHERS_WRITE)
    return _secret(data, path) if symmetric else _public_key(algorithm, data, path)


def _secret(data: bytes, path: Path) -> bytes:
    secret = data.strip()
    if len(secret) < _LEAST_SECRET_BYTES or b"-----BEGIN" in secret:
        raise ConfigError(
            f"key of tokens {path}: is no secret of at least {_LEAST_SECRET_BYTES} bytes",
            "`openssl rand -hex 32` makes one",
        )
    return secret


def _public_key(algorithm: str, data: bytes, path: Path) -> Any:
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.serialization import load_pem_public_key

    try:
        key = load_pem_public_key(data)
    except (ValueError, UnsupportedAlgorithm):
        key = None
    if key is None or not _fits(algorithm, key):
        raise ConfigError(
            f"key of tokens {path}: is no public key for {algorithm}",
            "expected PEM, `-----BEGIN PUBLIC KEY-----`: RSA of 2048 bits or more, EC P-256, or Ed25519",
        )
    return key


def _fits(algorithm: str, key: object) -> bool:
    from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePublicKey
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

    match algorithm:
        case "RS256":
            return isinstance(key, RSAPublicKey) and key.key_size >= _LEAST_RSA_BITS
        case "ES256":
            return isinstance(key, EllipticCurvePublicKey) and isinstance(key.curve, SECP256R1)
        case _:
            return isinstance(key, Ed25519PublicKey)
