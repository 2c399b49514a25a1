"""Values that must be one of a few words: a typing error in a test should not pass unnoticed."""


def check_choice(name: str, value: str, allowed: tuple[str, ...]) -> None:
    """ValueError when `value` is none of the allowed words."""
    if value not in allowed:
        raise ValueError(f"{name} must be one of {', '.join(map(repr, allowed))}, not {value!r}")
