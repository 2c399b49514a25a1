"""`search`: messages of an archive by their words."""

import sys
import unicodedata
from argparse import Namespace

from ultracart_conversation._cli.impossible import Misused
from ultracart_conversation._cli.output import Output
from ultracart_conversation._cli.text import local, one_line, wrap
from ultracart_conversation.archive import Archive, Hit

_DEFAULT_MAX = 50
_ALL = 2**31 - 1


async def search(archive: Archive, output: Output, arguments: Namespace) -> None:
    """Print the newest messages that have all the words, and say so when the default stops before the end.

    Raises `Misused` when there is no word.
    """
    text = " ".join(arguments.text)
    if not any(map(_is_of_word, text)):
        raise Misused(f"{text!r} has no letter and no digit, and nothing else is searched for: give a word")
    most: int = (_DEFAULT_MAX if arguments.max is None else arguments.max) or _ALL
    hits = await archive.search(text, since=arguments.since, limit=most + 1)
    for hit in hits[:most]:
        if arguments.json:
            output.json(_json(hit))
        else:
            _write(output, hit)
    if arguments.max is None and len(hits) > most:
        sys.stderr.write(f"the newest {_DEFAULT_MAX}; --max 0 shows all\n")
    if not hits and not arguments.json:
        output.line("no messages")


def _is_of_word(character: str) -> bool:
    """Whether it is among those that an archive's index is made of."""
    category = unicodedata.category(character)
    return category[0] in "LN" or category == "Co"


def _json(hit: Hit) -> dict[str, object]:
    return {
        "conversation_uuid": hit.conversation_uuid,
        "excerpt": hit.excerpt,
        "message": hit.message.to_dict(),
    }


def _write(output: Output, hit: Hit) -> None:
    """One line in a pipe; in a terminal as many as the words need."""
    uuid, when = one_line(hit.conversation_uuid), local(hit.message.message_dts).ljust(11)
    author = one_line(hit.message.author_conversation_participant_name) or "(notice)"
    if output.width is None:
        output.line(f"{uuid}  {when}  {author}: {one_line(hit.excerpt)}")
        return
    output.line(f"{uuid}  {when}  {author}")
    for line in wrap(one_line(hit.excerpt), output.width - 4):
        output.line(f"    {line}")
