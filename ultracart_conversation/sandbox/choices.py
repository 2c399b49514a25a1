"""What a switch can be set to: an error in a test should not pass unnoticed."""


def check_choice(name: str, value: str, allowed: tuple[str, ...]) -> None:
    """ValueError when `value` is none of the allowed words."""
    if value not in allowed:
        raise ValueError(f"{name} must be one of {', '.join(map(repr, allowed))}, not {value!r}")


def check_positive(name: str, value: int | None) -> None:
    """ValueError for a number below 1; None is no number."""
    if value is not None and value < 1:
        raise ValueError(f"{name} must be positive, not {value!r}")
