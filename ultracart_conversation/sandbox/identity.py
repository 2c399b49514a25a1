"""Names that the service gives to things; each comes from a seeded generator, so a seed names them again."""

from .dice import dice

MERCHANT_ID = "DEMO"
_VARIANTS = "89ab"


class Identity:
    """Issues UUIDs, ARNs, request ids and keys."""

    def __init__(self, seed: int) -> None:
        self._things = dice(seed, "things")
        self._requests = dice(seed, "requests")
        self._secrets = dice(seed, "secrets")

    def uuid(self) -> str:
        digits = f"{self._things.getrandbits(128):032x}"
        variant = _VARIANTS[int(digits[16], 16) & 3]
        return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-{variant}{digits[17:20]}-{digits[20:]}"

    def arn(self, kind: str) -> str:
        """An opaque name; clients must not read anything into it."""
        return f"arn:ultracart:conversation:{MERCHANT_ID}:{kind}/{self._things.getrandbits(64):016x}"

    def request_id(self) -> str:
        return f"{self._requests.getrandbits(128):032X}"

    def secret(self) -> str:
        return f"{self._secrets.getrandbits(256):064x}"
