"""Words: a text as numbers, normalised so that what is not news does not count.

Two copies of a text by different publishers differ in case, quotes, dateline,
agency tag, tickers and prompts ("Sign up to our newsletter"); none of these is
compared. What is left becomes one 32-bit hash a word, with sentence ends kept.
"""

from __future__ import annotations

import re
import unicodedata
from array import array
from typing import TYPE_CHECKING

import numpy as np
import xxhash

from schemas.ids import fold_typography

if TYPE_CHECKING:
    from numpy.typing import NDArray

_VOCABULARY_MAX = 500_000
"""Words whose hash a worker remembers; it begins anew beyond that."""

NUMBER, CAPITAL, END, HEADLINE_END, NO_WORD = (np.uint64(1 << bit) for bit in range(32, 37))
"""What is said of a word beside its hash: it has a digit first, or a capital; its
sentence ends with it; it stands for the end of the headline, or for no word at all."""

_NEW_LINE = "\0"
_NEW_HEADLINE = "\0\0"

_AGENCIES = (
    r"reuters|associated press|ap|afp|agence france-presse|dpa|upi|ansa|efe|pti|ani|xinhua|tass|"
    r"bloomberg|kyodo|belga|apa|sda|keystone-sda|pa media|aap|ians|yonhap|interfax|anp|lusa|"
    r"press association|cp|the canadian press|dow jones|marketwatch|cnn|bbc|usatoday\.com"
)
_PLACE = r"[A-Z\u00c0-\u00de][\w\u00c0-\u00de.'/-]*(?:,? [A-Z\u00c0-\u00de][\w.'/-]*){0,4}"
_DAY = r"(?:,? (?:[A-Z][a-z]{2,8}\.? \d{1,2}|\d{1,2}\.? [A-Z][a-z]{2,8}\.?)(?:,? \d{4})?)?"
_DATELINE = re.compile(
    rf"\A\s*(?:"
    rf"(?:{_PLACE}{_DAY},? ?)?[(/\[](?:(?i:{_AGENCIES}))[)/\]] ?(?:-{{1,2}}|:)?"
    rf"|(?:(?i:{_AGENCIES})) ?(?:-{{1,2}}|:)(?= )"
    rf"|[A-Z\u00c0-\u00de][A-Z\u00c0-\u00de .,'/]{{2,40}}{_DAY} ?(?:-{{1,2}}(?= )|:(?= [A-Z]))"
    rf"|{_PLACE}{_DAY} -{{1,2}} "
    rf")\s*"
)
"""At the start: ``LONDON, May 3 (Reuters) -``, ``Berlin (dpa) -``, ``AP -``, ``ROME:``."""

_TAGS = re.compile(
    rf"\((?:(?i:{_AGENCIES}))\)"
    r"|\((?:NYSE|NASDAQ|Nasdaq|AMEX|LSE|LON|TSX|ASX|FRA|ETR|EPA|BIT|BME|AMS|TYO|HKG|OTC)[^)]{0,20}\)"
    r"|[(<]\.?[A-Z0-9]{1,6}[.=][A-Z]{1,3}[)>]"
    r"|\((?i:video|photo|photos|audio|live|watch)\)"
)
"""Anywhere: an agency's tag, a ticker (``(NYSE: ABC)``, ``<ABC.N>``), a medium."""

_PROMPT = re.compile(
    r"[*>\u2022\u25ba\u25b6\u2192 -]*(?:"
    r"sign up (?:for|to|here|now|today)|subscribe (?:to|now|today|here|for)|also read\b|"
    r"read (?:more|also|the full|next)\b|(?:see|watch) (?:also|more)\b|follow (?:us|our|me)\b|"
    r"follow \w+ on\b|(?:click|tap) (?:here|to|on)\b|watch (?:the )?(?:video|live|now)\b|"
    r"\(?(?:video|photo|image|picture|file photo)\)?:|\((?:video|photo|watch)\)|advertisement\b|"
    r"share (?:this|on|via)\b|join (?:our|us on|the conversation)\b|download (?:our|the) app|"
    r"get (?:the latest|our|more) |for (?:more|all the latest|the latest|free real time) |"
    r"support (?:our|independent) |(?:\(c\)|\u00a9|copyright\b)|all rights reserved|"
    r"this (?:article|story|report|piece) (?:was |is |has been |first |originally )|"
    r"\(?(?:additional )?(?:reporting|writing|editing|compiled) (?:and \w+ )?by\b|our standards\b|"
    r"last updated\b|more (?:to follow|on this|from)\b|this is a (?:breaking|developing)|"
    r"you (?:may|might) (?:also )?like\b|related(?: (?:articles?|stories|topics?|links?))?:|"
    r"most read\b|do(?:n't| not) miss\b|have your say\b|(?:contact|email|write to) (?:us|the)\b|"
    r"our newsletter|stay (?:tuned|up to date|informed)|(?:e?mail )?newsletter|"
    r"listen to (?:our|the) podcast|become a member|turn on notifications|"
    r"lesen sie (?:auch|mehr|dazu)|mehr (?:zum thema|dazu|lesen)|jetzt (?:abonnieren|anmelden)|"
    r"folgen sie uns|zum newsletter|lire (?:aussi|la suite)|\u00e0 lire (?:aussi|\u00e9galement)|"
    r"abonnez-vous|inscrivez-vous|suivez-nous|lea? tambi\u00e9n|leer m\u00e1s|suscr\u00edbete|"
    r"s\u00edguenos|leggi (?:anche|tutto)|iscriviti|seguici|lees (?:ook|meer|verder)|"
    r"meld je aan|volg ons|leia (?:tamb\u00e9m|mais)|assine|inscreva-se|siga-nos"
    r")",
    re.IGNORECASE,
)
"""How a sentence begins that asks the reader for something, in seven languages."""

_PROMPT_WORDS_MAX = 30
"""A longer one holds news as well."""

_IDEOGRAPH = re.compile("([\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\u0e00-\u0e7f])")
_NO_LETTERS = re.compile(r"^[\W_]+|(?:'[sS])?[\W_]+$|'[sS]$")
_ENDS = re.compile(r"[.!?\u3002\uff01\uff1f]['\")\]]*$")


class _Vocabulary(dict[str, int]):
    """What each word, as it stands between spaces, becomes."""

    def __init__(self) -> None:
        super().__init__()
        self._start()

    def _start(self) -> None:
        self.clear()
        self[_NEW_LINE] = int(NO_WORD | END)
        self[_NEW_HEADLINE] = int(NO_WORD | END | HEADLINE_END)

    def __missing__(self, token: str) -> int:
        if len(self) >= _VOCABULARY_MAX:
            self._start()
        value = int(END) if _ENDS.search(token) else 0
        bare = _NO_LETTERS.sub("", token)
        if not bare or not bare[0].isalnum():
            value |= int(NO_WORD)
        else:
            encoded = bare.casefold().encode("utf-8", "surrogatepass")
            value |= xxhash.xxh3_64_intdigest(encoded) & 0xFFFFFFFF
            value |= int(NUMBER) if bare[0].isdigit() else int(CAPITAL) if bare[0].isupper() else 0
        self[token] = value
        return value


_vocabulary = _Vocabulary()


def read_words(headline: str | None, body: str) -> NDArray[np.uint64]:
    """The words of a text: NFKC, case-folded, typography folded; without
    dateline, agency tags, tickers and prompts. The headline is its own sentence.

    Each is a 32-bit hash with the flags above it; ideographs count as words of
    one character.
    """
    sentences = [line for line in _sentences(_bare(body)) if not _is_prompt(line)]
    text = f" {_NEW_LINE} ".join(sentences)
    if headline:
        text = f"{_bare(headline)} {_NEW_HEADLINE} {text}"
    if not text.isascii():
        text = _IDEOGRAPH.sub(r" \1 ", text)
    return np.frombuffer(array("Q", [_vocabulary[token] for token in text.split()]), np.uint64)


def _bare(text: str) -> str:
    """Folded, and without what an agency or a stock exchange puts beside the words."""
    folded = fold_typography(text if text.isascii() else unicodedata.normalize("NFKC", text))
    folded = folded.replace(_NEW_LINE, "")
    news = _DATELINE.sub("", folded, 1)
    return _TAGS.sub(" ", news) if "(" in news or "<" in news else news


def _sentences(text: str) -> list[str]:
    for end in (". ", "! ", "? ", '." ', ".' ", '!" ', '?" ', ".) "):
        if end in text:
            text = text.replace(end, f"{end[:-1]}\n")
    return text.split("\n")


def _is_prompt(sentence: str) -> bool:
    return bool(_PROMPT.match(sentence)) and sentence.count(" ") < _PROMPT_WORDS_MAX
