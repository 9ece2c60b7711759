"""The cache that counts bytes."""

import pytest

from explainer.caching import BytesCache


def test_a_value_is_made_once_and_shared():
    made = []
    cache = BytesCache(100, len)
    first = cache.get("a", lambda: made.append(1) or b"x")
    assert cache.get("a", lambda: made.append(2) or b"y") is first
    assert made == [1]


def test_what_was_used_longest_ago_goes_when_the_bytes_are_used_up():
    cache = BytesCache(10, len)
    cache.get("a", lambda: b"1234")
    cache.get("b", lambda: b"5678")
    cache.get("a", lambda: b"")
    cache.get("c", lambda: b"9876")  # 12 bytes: b, used longest ago, has to go
    assert cache.get("a", lambda: b"new") == b"1234"
    assert cache.get("c", lambda: b"new") == b"9876"
    assert cache.get("b", lambda: b"new") == b"new"


def test_one_value_larger_than_the_limit_is_still_kept():
    cache = BytesCache(3, len)
    large = cache.get("a", lambda: b"123456")
    assert cache.get("a", lambda: b"") is large


def test_so_many_values_are_kept_however_large_they_are():
    cache = BytesCache(1, len, at_least=2)
    for key in "abca":
        cache.get(key, lambda: b"large")
    assert "b" not in cache and "c" in cache and "a" in cache


def test_a_failure_is_not_kept():
    cache = BytesCache(3, len)
    with pytest.raises(ZeroDivisionError):
        cache.get("a", lambda: 1 / 0)
    assert cache.get("a", lambda: b"1") == b"1"
