"""Names of people out of bylines: which words are a name, which a label or a masthead."""

from __future__ import annotations

import re
from functools import lru_cache

from transforms.liveblog.bodies import AGENCIES
from transforms.liveblog.wordlists import words

MAX_BYLINE_CHARS = 160
"""Longer text is prose, not a byline."""

_BY = re.compile(
    r"^(?:(?:posted|published|written|publiée?|rédigée?|postée?|écrite?|publicad[oa]|escrit[oa]|"
    r"redactad[oa]|atualizado|geplaatst|gepubliceerd|geschreven|verfasst|eingestellt|erstellt|"
    r"veröffentlicht|gepostet|pubblicat[oa]|scritt[oa]|inserit[oa]|opublikowan[eay]|napisan[eay]|"
    r"dodan[eay]) (?:by|par|por|door|von|da|przez)|"
    r"from|by|von|par|por|di|a cura di|door|przez|autor(?:in|a|es|en|zy|em|ka)?|author|"
    r"auteurs?|autrice|(?:redactora?|reporter|report)(?=\s*:)|texte?|text|protokoll|written by|"
    r"reported by|reports|posted by|(?:analysis|opinion) (?:by|from)|compiled by|words by|"
    r"(?:with |additional )?reporting (?:by|from)|mit (?:informationen|material|beiträgen) von|"
    r"avec les informations de|con informa(?:ción|zioni|ções) d[ei]|"
    r"propos recueillis par|escrito por|"
    r"scritto da|geschreven door|aufgezeichnet von|(?:mit )?am ticker|"
    r"aus [\w ./-]{2,30}?(?: berichte(?:n|t)|(?=:))|dall['’]inviat[oa]|dagl[ie] inviat[ie]|tekst|"
    r"autor/autorka|oprac|opr|opracowa(?:nie|ł|ła|li|ły)|notował|notowała|relacjonuj[eą]|escribe|informan?|"
    r"redactan?|(?:reportagem|texto) de|"
    r"(?:dal|dalla|dai) nostr[oai] (?:inviat[oai]|corrispondent[ei])|"
    r"(?:de )?(?:notre|nos) (?:envoyée?s?|correspondante?s?|journalistes?)"
    r"(?: spéciale?s?| permanente?s?)?|"
    r"van onze (?:verslaggever|correspondent|redacteur)|"
    r"von unser(?:em|er|en) (?:korrespondent|reporter)(?:in|en)?)\b\.?\s*:?\s+",
    re.IGNORECASE,
)
_MAX_BY_CHARS = 16
_MAX_ANNOUNCED_CHARS = 40
"""Behind so many characters a name is no longer what "By" announces."""
_BY_EMPTY = re.compile(
    r"^(?:by|from|von|par|por|di|door|autor|autor/autorka|autorzy|oprac\.|author)\s*:?$",
    re.IGNORECASE,
)
_POSSESSIVE = re.compile(r"^(?:[A-Z][\w.&-]{1,20}\s){0,2}[A-Z\d][\w.&-]{0,20}['’]s?\s+(?=[A-Z])")
_PLACES = re.compile(r"\s[—–-]\s.*$")
"""What a dash sets behind the names: where they are, for whom they write."""
_SPLIT = re.compile(
    r"\s*(?:,|;|\||/|•|·|\n|&|\s+(?:and|und|et|y|e|en|i|with|mit|avec|con|com|met)\s+)\s*"
)
_JOINT = re.compile(r"^(?:and|und|et|with|mit|avec|con|com|met)\s", re.IGNORECASE)
"""What is left at the head of a part behind a comma: ", with AFP"."""
_AFTER_NAME = re.compile(
    r"\s*(?:\(|\bin\s|\bat\s|\baus\s|\bà\s|\ba\s|\bw\s|\bwe\s|\bem\s|\ben\s|\bfor\s|\bof\s|—|–|\s-\s|@|\bhttp).*$"
)
_PARTICLES = words(
    "de da do dos das di del della la le van von der den het 't zu zur bin ibn al el du des y "
    "e ten ter op st st. d' o' mc"
)
_NOT_NAMES = words(
    "key event breaking live update updates latest news editor editors team staff desk "
    "reporter reporters correspondent agency agencies agencias agentur agenturen redaktion "
    "agenturmaterial material redaction rédaction redacción redazione redactie redakcja "
    "redação newsroom reuters afp ap dpa efe ansa pap anp lusa pa sda keystone-sda bbc cnn "
    "guardian admin online group images image getty video photo picture foto share analysis "
    "opinion comment summary recap watch read more today yesterday pinned alert exclusive "
    "explainer eilmeldung wichtig wichtige direct important urgent última hora ultima ora en "
    "vivo directo diretta world politics sport sports business facebook twitter email "
    "whatsapp copy link copyright posted published updated goal tor but gol half time full "
    "kick off subscribe sign up newsletter follow home menu close open show hide "
    "advertisement anzeige publicité publicidad pubblicità advertentie reklama publicidade "
    "press agence presse france service belga ats ritzau ntb cp aap xinhua tass adnkronos agi "
    "wire wires source sources contributor contributors externer inhalt content social media "
    "science health culture weather football cricket rugby tennis election results january "
    "february march april june july august september october november december monday tuesday "
    "wednesday thursday friday saturday sunday of the and for on to at"
)
_ROLE = re.compile(
    r"\b(?:editora?s?|reporter|correspondent|\w*korrespondent\w*|correspondant\w*|corresponsal|"
    r"\w*redakteur\w*|\w*journalist\w*|jornalista|redat(?:or|ora|tore|trice)|\w*redacteur|"
    r"\w*redactie|rédact(?:eur|rice)|redactora?|\w*redaktor\w*|\w*reporterin|dziennikar\w*|"
    r"verslaggever|inviat[oa]|enviad[oa]|envoyée?|repórter|reportero|"
    r"periodista|giornalista|vicedirettore|vicedirettrice|chief|analyst|producer|presenter|columnist|bureau|writer|"
    r"\w*redaktion|redacción|rédaction|redazione|redação|redakcja|special to|"
    r"colabora(?:ção|ción) para|"
    r"jef[ea] de|director[a]? de|caporedattore|"
    r"leiter(?:in)?|ressortleiter(?:in)?|volontär(?:in)?|head of|chef(?:fe)? du|newsdesk)\b",
    re.IGNORECASE,
)
_NEWSROOM = re.compile(
    r"[^\w]*(?:(?:by|von|par|por|di|da|della|door|la|de|die) )?(?:[\w.&'’-]{1,20} ){0,2}"
    r"(?:\w*redaktion|newsroom|redacción|redazione|redactie|redakcja|redação|rédaction|news ?desk|"
    r"commentator)(?: [\w.&'’-]{1,20}){0,2}",
    re.IGNORECASE,
)
_NEWSROOM_SIGNS = ("reda", "rédac", "news", "commentator")
_MAX_NEWSROOM_CHARS = 60
_WHERE = re.compile(
    r"(?:do|da|de|del|della|dal|du|of|for|from|em|in|aus|bei|vom|à|a|w|z|para|para o|pour)"
    r"(?: [^\W\d_a-zà-þ][\w.'’-]*){1,3}"
)
"""Where an author is, or for whom they write: "do Globo", "in Kyiv"."""
_PLACE = re.compile(r"[^\W\d_a-zà-þ][\w.'’-]*(?: [^\W\d_a-zà-þ][\w.'’-]*)?")
_NAME_TOKEN = re.compile(r"^[^\W\d_][\w.'’\-‐]*$")
_CAPITALS = re.compile(r"[^\W\d_]+")
_MAX_NAME_TOKENS = 5


def names_in(byline: str) -> tuple[str, ...]:
    """The people a byline names, in order; a label or an agency gives none.

    Takes "By Jane Doe and John Roe", "JANE DOE", "Jane  Doe in Kyiv", "From CNN's Jane Doe".
    """
    byline = " ".join(byline.split()).lstrip("–—- ")
    return _names_in(byline) if byline and len(byline) <= MAX_BYLINE_CHARS else ()


@lru_cache(maxsize=2048)
def _names_in(byline: str) -> tuple[str, ...]:
    said_by = _BY.match(byline)
    rest = _PLACES.sub("", byline[said_by.end() :]) if said_by else byline
    rest = _POSSESSIVE.sub("", rest, count=1) if said_by else rest
    found: list[str] = []
    parts = _SPLIT.split(rest)
    if _ROLE.search(parts[0]) and not said_by:
        return ()  # what follows a post is a place
    for part in parts:
        name = _AFTER_NAME.sub("", _BY.sub("", _without_joint(part))).strip(" .:|-–—")
        # One word behind a name is a place: "en" is "and" to the Dutch, "in" to others
        if is_name(name, sure=said_by is not None and not found):
            found.append(_unshouted(name))
    return tuple(dict.fromkeys(found))


def is_newsroom(text: str) -> bool:
    """Whether a text names a newsroom, or a nameless host, and nobody else."""
    low = text.lower() if len(text) <= _MAX_NEWSROOM_CHARS else ""
    return any(sign in low for sign in _NEWSROOM_SIGNS) and bool(_NEWSROOM.fullmatch(text))


def is_role(text: str) -> bool:
    """Whether a text names a post in a newsroom, such as "Political editor"."""
    return bool(_ROLE.search(text))


def last_role_end(text: str) -> int:
    """Where the last word of a post in a newsroom ends, 0 where the text names none."""
    return max((found.end() for found in _ROLE.finditer(text)), default=0)


def only_names_in(text: str) -> tuple[str, ...]:
    """The people of a text that names people, perhaps with their place, and says nothing else."""
    return _only_names_in(text) if len(text) <= MAX_BYLINE_CHARS else ()


def names_somebody(text: str) -> bool:
    """Whether a line is a byline, or names and nothing else."""
    return is_byline(text) or bool(only_names_in(text))


@lru_cache(maxsize=2048)
def _only_names_in(text: str) -> tuple[str, ...]:
    text = _POSSESSIVE.sub("", " ".join(text.split()), count=1)
    parts = [part for part in map(_without_joint, _SPLIT.split(text)) if part]
    parts = [part for part in parts if part.lower() not in AGENCIES]
    if not parts or not is_name(_AFTER_NAME.sub("", parts[0])):
        return ()
    has_role = False
    place: str | None = None
    for part in parts[1:]:
        if _ROLE.search(part):
            has_role, place = True, None
            continue
        if has_role and f", {part}" in text:
            place = place or part  # it follows the last post
        name = _AFTER_NAME.sub("", f" {part}").strip()
        if name and not (
            is_name(name) or _WHERE.fullmatch(part) or (has_role and _PLACE.fullmatch(part))
        ):
            return ()
    return tuple(name for name in names_in(text) if name != place)


def _without_joint(part: str) -> str:
    return _JOINT.sub("", part)


@lru_cache(maxsize=4096)
def is_name(text: str, *, sure: bool = False) -> bool:
    """Whether a text reads as one person's name.

    sure: the text stands where names stand, so one word or lower case will do.
    """
    tokens = text.split()
    if not 1 <= len(tokens) <= _MAX_NAME_TOKENS or not all(map(_NAME_TOKEN.match, tokens)):
        return False
    if len(tokens) == 1 and not (sure and len(text) > 2 and text[0].isupper()):
        return False
    lows = [token.lower().strip(".") for token in tokens]
    if any(low in _NOT_NAMES for low in lows) or _ROLE.search(text):
        return False
    if tokens[-1].endswith(("'s", "’s")):
        return False
    capitals = sum(token[0].isupper() for token in tokens)
    small = sum(
        low in _PARTICLES and not token[0].isupper()
        for low, token in zip(lows, tokens, strict=True)
    )
    return capitals >= min(2, len(tokens)) and capitals + small >= len(tokens)


def _unshouted(name: str) -> str:
    """JANE DOE becomes Jane Doe; any other name stays as it is written."""
    if not name.isupper() or len(name.replace(".", "").replace(" ", "")) <= 3:
        return name
    words = (
        w.lower() if w.lower() in _PARTICLES else _CAPITALS.sub(_capitalised, w)
        for w in name.split()
    )
    return " ".join(words)


def _capitalised(word: re.Match[str]) -> str:
    return word[0].capitalize()


def names_of(values: object) -> tuple[str, ...]:
    """The people in a JSON-LD ``author``: a string, a dict, a list of either.

    Organisations and bare ``@id`` references give none.
    """
    if type(values) is list:
        people = [v.get("name") for v in values if type(v) is dict and v.get("@type") == "Person"]
        if len(people) == len(values):
            named = tuple([name for name in people if type(name) is str])
            if len(named) == len(people):
                return _declared_names(named[:50])
    found: list[str] = []
    waiting = [values]
    while waiting and len(found) < 50:
        value = waiting.pop(0)
        if isinstance(value, list):
            waiting[:0] = value[:50]
        elif isinstance(value, dict):
            kinds = value.get("@type")
            kinds = kinds if isinstance(kinds, list) else [kinds]
            if any(isinstance(kind, str) and kind.endswith("Organization") for kind in kinds):
                continue
            name = value.get("name")
            if isinstance(name, str | list):
                waiting.insert(0, name)
        elif isinstance(value, str) and not value.startswith(("http:", "https:")):
            found.append(value)
    return _declared_names(tuple(found))


@lru_cache(maxsize=1024)
def _declared_names(texts: tuple[str, ...]) -> tuple[str, ...]:
    found: list[str] = []
    for text in texts:
        line = " ".join(text.split())
        if len(line) > MAX_BYLINE_CHARS:
            continue
        said_by = _BY.match(line)
        for part in _SPLIT.split(line[said_by.end() :] if said_by else line):
            name = _AFTER_NAME.sub("", part).strip(" .:|-–—")
            if is_name(name, sure=True):
                found.append(_unshouted(name))
    return tuple(dict.fromkeys(found))


def opens_byline(text: str) -> bool:
    """Whether a text is only the word before a name, such as "By"."""
    text = text.strip()
    return len(text) <= _MAX_BY_CHARS and bool(_BY_EMPTY.match(text))


def begins_byline(text: str) -> bool:
    """Whether a text begins with the word before a name, such as "By"."""
    return bool(_BY.match(text.lstrip()))


def is_byline(text: str) -> bool:
    """Whether a text says outright who wrote: "By Jane Doe", "Von Jan Roe"."""
    if not begins_byline(text):
        return False
    text = " ".join(text.split())
    names = names_in(text) if len(text) <= MAX_BYLINE_CHARS else ()
    return bool(names) and text.casefold().find(names[0].casefold()) <= _MAX_ANNOUNCED_CHARS
