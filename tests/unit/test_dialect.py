"""How the JWT is presented, and the ping."""

import json
import re
import traceback
from typing import Any
from urllib.parse import parse_qsl, quote, quote_plus, urlsplit

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from ultracart_conversation import ConfigurationError, ConversationAgentAuth, UltraCartError, Undecodable
from ultracart_conversation.dialect import LONGEST_URL, Dialect

JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhZ2VudCJ9.c2lnbmF0dXJl"
URL = "wss://chat.example.com/prod?merchant=DEMO&x="
texts = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=60)
tokens = texts.filter(lambda text: len(text) > 3)
queries = st.lists(st.tuples(texts, texts), max_size=5)


def in_small_letters(text: str) -> str:
    return re.sub("%..", lambda escape: escape[0].lower(), quote(text, safe=""))


encodings = st.sampled_from([lambda text: quote(text, safe=""), quote_plus, in_small_letters])


def auth(url: str | None = URL, jwt: str | None = JWT) -> ConversationAgentAuth:
    return ConversationAgentAuth(websocket_url=url, jwt=jwt)


def written(pairs: list[tuple[str, str]]) -> str:
    return "&".join(f"{quote(name, safe='')}={quote_plus(value)}" for name, value in pairs)


@given(jwt=tokens, name=texts, query=queries)
def test_any_token_arrives_and_every_other_parameter_stays(jwt: str, name: str, query: list[tuple[str, str]]) -> None:
    url = f"wss://chat.example.com/prod?{written(query)}"
    assume(jwt not in url and all(jwt not in f"{key}={value}" for key, value in query))
    address = Dialect(parameter=name).address(auth(url, jwt))
    pairs = parse_qsl(urlsplit(address.url).query, keep_blank_values=True, separator="&")
    assert pairs == [*((key, value) for key, value in query if key != name), (name, jwt)]
    assert (address.headers, address.subprotocols, address.secret) == ((), (), jwt)


@given(
    jwt=tokens,
    query=queries,
    encoded=encodings,
    token=st.sampled_from(["query", "header", "subprotocol"]),
    place=st.sampled_from(["?{}&{}", "/{1}?{0}", "?{}&jwt={}&y=2"]),
)
def test_a_url_that_carries_the_token_stays_as_it_is(
    jwt: str, query: list[tuple[str, str]], encoded: Any, token: Any, place: str
) -> None:
    assume(encoded(jwt).isprintable())
    url = "wss://chat.example.com/prod" + place.format(written(query), encoded(jwt))
    address = Dialect(token=token).address(auth(url, jwt))
    assert (address.url, address.headers, address.subprotocols) == (url, (), ())


def test_a_raw_token_in_the_url_counts_as_well() -> None:
    url = f"wss://chat.example.com/prod?anything={JWT}="
    assert Dialect().address(auth(url, f"{JWT}=")).url == url


def test_the_token_may_travel_in_a_header_or_a_subprotocol() -> None:
    by_header = Dialect(token="header").address(auth())
    assert (by_header.url, by_header.headers) == (URL, (("Authorization", f"Bearer {JWT}"),))
    by_subprotocol = Dialect(token="subprotocol").address(auth())
    assert (by_subprotocol.url, by_subprotocol.subprotocols) == (URL, ("jwt", JWT))


def test_a_template_of_the_parameter_is_filled_in() -> None:
    url = "wss://chat.example.com/prod?token=&merchant=DEMO"
    assert Dialect().address(auth(url)).url == f"wss://chat.example.com/prod?merchant=DEMO&token={JWT}"


def test_a_url_without_a_query_gets_one() -> None:
    assert Dialect().address(auth("wss://chat.example.com")).url == f"wss://chat.example.com?token={JWT}"


@pytest.mark.parametrize("jwt", [f"{JWT}\r\nX-Evil: 1", f"{JWT} {JWT}", f"{JWT}é", f"{JWT},{JWT}"])
@pytest.mark.parametrize("token", ["header", "subprotocol"])
def test_a_token_that_no_header_can_carry_is_refused(jwt: str, token: Any) -> None:
    with pytest.raises(ConfigurationError, match=f"no {token} can carry this JWT"):
        Dialect(token=token).address(auth(jwt=jwt))


@pytest.mark.parametrize(
    ("url", "jwt", "missing"), [(URL, None, "jwt"), (URL, "", "jwt"), (None, JWT, "websocket_url"), (None, None, "jwt")]
)
def test_an_authorization_that_lacks_something_is_refused(url: str | None, jwt: str | None, missing: str) -> None:
    with pytest.raises(Undecodable, match=f"the reply has no {missing}: ") as caught:
        Dialect().address(auth(url, jwt))
    assert caught.value.operation == "get_agent_websocket_authorization"


@pytest.mark.parametrize(
    "url",
    [
        "https://chat.example.com/prod",
        "chat.example.com/prod",
        "wss:///prod",
        "wss://",
        "wss://[::1/prod",
        "wss://chat.example.com:port/prod",
        "wss://chat.example.com:99999/prod",
        "wss://chat.example.com:0/prod",
        "wss://user:password@chat.example.com/prod",
        "wss://chat.example.com/prod#fragment",
        "wss://chat.example.com/prod path",
        "wss://chat.example.com/prod\r\nX-Evil: 1",
    ],
)
def test_what_is_no_websockets_url_is_refused(url: str) -> None:
    with pytest.raises(Undecodable, match=r"^get_agent_websocket_authorization: the reply's websocket_url "):
        Dialect().address(auth(url))


@pytest.mark.parametrize("url", ["ws://chat.example.com/prod", f"ws://chat.example.com/prod?token={JWT}"])
def test_the_token_does_not_travel_in_the_clear(url: str) -> None:
    with pytest.raises(ConfigurationError, match=r"ws://chat\.example\.com would send the JWT in the clear"):
        Dialect().address(auth(url))
    assert JWT in Dialect().address(auth(url), allow_insecure=True).url


@pytest.mark.parametrize("host", ["localhost:8000", "127.0.0.1", "[::1]:8000", "chat.localhost"])
def test_this_machine_may_be_reached_in_the_clear(host: str) -> None:
    assert Dialect().address(auth(f"ws://{host}/prod")).url == f"ws://{host}/prod?token={JWT}"


def test_a_url_has_at_most_4096_characters() -> None:
    start = f"wss://chat.example.com/prod?token={JWT}&x="
    longest = start + "x" * (LONGEST_URL - len(start))
    assert Dialect().address(auth(longest)).url == longest
    with pytest.raises(ConfigurationError, match="has 4097 characters, and 4096 may be sent"):
        Dialect().address(auth(longest + "x"))
    bare = "wss://chat.example.com/prod?x=" + "x" * (LONGEST_URL - 60)
    with pytest.raises(ConfigurationError, match=r'by Dialect\(token="header"\)'):
        Dialect().address(auth(bare))
    assert Dialect(token="header").address(auth(bare)).url == bare


def refusals() -> list[tuple[Dialect, ConversationAgentAuth]]:
    return [
        (Dialect(), auth("ws://chat.example.com/prod")),
        (Dialect(), auth(f"ftp://chat.example.com/{JWT}")),
        (Dialect(), auth(f"wss://[{JWT}/prod")),
        (Dialect(), auth(URL + "x" * LONGEST_URL)),
        (Dialect(token="header"), auth(jwt=f"{JWT} x")),
        (Dialect(), auth(None)),
    ]


@pytest.mark.parametrize(("dialect", "given_auth"), refusals())
def test_a_refusal_tells_no_secret(dialect: Dialect, given_auth: ConversationAgentAuth) -> None:
    with pytest.raises(UltraCartError) as caught:
        dialect.address(given_auth)
    assert JWT not in f"{caught.value!r} {caught.value} {vars(caught.value)}"
    frames = traceback.TracebackException.from_exception(caught.value, capture_locals=True).stack
    ours = [frame for frame in frames if "/tests/" not in frame.filename]
    assert ours
    assert not [frame for frame in ours if JWT in str({**(frame.locals or {}), "auth": None})]


def test_an_address_tells_no_secret() -> None:
    addresses = [Dialect(token=token).address(auth()) for token in ("query", "header", "subprotocol")]
    assert JWT not in repr(addresses)


def test_the_ping_is_a_frame() -> None:
    assert json.loads(Dialect().ping_frame or "") == {"type": "ping"}
    assert Dialect().ping_period == 240.0
    assert Dialect(ping=None).ping_frame is None
    assert Dialect(ping={"a": ["ü", None]}).ping_frame == '{"a":["ü",null]}'


def test_a_dialect_is_a_value() -> None:
    ping = {"type": "ping"}
    dialect = Dialect(ping=ping)
    ping["type"] = "changed"
    assert dialect == Dialect()
    assert hash(dialect) == hash(Dialect())
    with pytest.raises(ConfigurationError, match=r"^Dialect\(ping\) cannot be written as JSON"):
        Dialect(ping={"a": object()})


@pytest.mark.parametrize("wrong", [{"token": "cookie"}, {"parameter": ""}, {"ping_period": 0.0}])
def test_nonsense_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong))):
        Dialect(**wrong)
