"""A memory that never grows."""

from ultracart_conversation._sync.recent import Recent


def test_only_the_keys_that_were_set_last_are_kept() -> None:
    recent = Recent[str, int](2)
    for key, value in [("a", 1), ("b", 2), ("a", 3), ("c", 4)]:
        recent.set(key, value)
    assert len(recent) == 2
    assert "b" not in recent
    assert (recent.get("a"), recent.get("b"), recent.get("c")) == (3, None, 4)
