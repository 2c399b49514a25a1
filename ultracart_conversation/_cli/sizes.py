"""How large files are, for people."""


def size(count: int) -> str:
    """So many bytes in their largest unit: `512 bytes`, `4.2 kB`, `13.0 MB`."""
    for factor, unit in ((10**9, "GB"), (10**6, "MB"), (10**3, "kB")):
        if count >= factor:
            return f"{count / factor:,.1f} {unit}"
    return f"{count} bytes"
