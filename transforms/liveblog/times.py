"""Reading times as publishers write them, in eight languages.

A ``Stamp`` keeps only what the text says; what is missing (the day, the year,
the zone) stays missing until ``clocks`` finds evidence for it.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta, timezone, tzinfo
from functools import lru_cache
from typing import NamedTuple
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from transforms.liveblog.wordlists import line_parts, words

MAX_EXPRESSION_CHARS = 90
"""Longer text is prose, not a time."""


class Stamp(NamedTuple):
    """What one expression says about a moment.

    instant: the moment in UTC, where the expression alone settles it.
    day, month_day: the calendar day, or (month, day) where the year is missing.
    clock: the time of day.
    zone: the zone the expression names.
    ago: distance from the moment of reading ("4m ago"); stale in stored pages.
    minute: a minute of play ("45+2'"); says nothing about the hour.
    is_update: the expression calls itself an update, not the publication.
    """

    instant: datetime | None = None
    day: date | None = None
    month_day: tuple[int, int] | None = None
    clock: time | None = None
    zone: tzinfo | None = None
    ago: timedelta | None = None
    minute: str | None = None
    is_update: bool = False

    @property
    def tells_clock(self) -> bool:
        """Whether a time of day is told."""
        return self.clock is not None or self.instant is not None


_MONTH_NAMES = (
    # en, de, fr, es, it, nl, pl (nominative, genitive), pt, no/da/sv; abbreviations are prefixes
    "january januar januari jänner janvier enero gennaio januari styczeń stycznia janeiro",
    "february februar februari feber février fevrier febrero febbraio luty lutego fevereiro",
    "march märz maerz mrz mars marzo maart mrt marzec marca março marco",
    "april avril abril aprile kwiecień kwietnia",
    "may mai mayo maggio mei maj maja maio",
    "june juni juin junio giugno czerwiec czerwca junho",
    "july juli juillet julio luglio lipiec lipca julho",
    "august août aout agosto augustus augusti sierpień sierpnia",
    "september septembre septiembre setiembre settembre wrzesień września setembro sept",
    "october oktober octobre octubre ottobre październik października outubro",
    "november novembre noviembre listopad listopada novembro",
    "december dezember décembre decembre diciembre dicembre grudzień grudnia dezembro desember",
)
_SHORT_MONTH_CHARS = 3


def _month_forms() -> dict[str, int]:
    forms: dict[str, int] = {}
    for number, names in enumerate(_MONTH_NAMES, 1):
        for name in names.split():
            forms[name] = number
    shorts: dict[str, set[int]] = {}
    for name, number in list(forms.items()):
        for length in (_SHORT_MONTH_CHARS, 4):
            shorts.setdefault(name[:length], set()).add(number)
    for short, numbers in shorts.items():
        if len(numbers) == 1:
            forms.setdefault(short, next(iter(numbers)))
    forms["juil"] = 7
    forms["mar"] = 3
    return forms


_MONTHS = _month_forms()
_MONTH = r"[^\W\d_]{3,12}(?![^\W\d_])\.?"

_DATES = (
    re.compile(r"\b(?P<y>\d{4})-(?P<m>\d{1,2})-(?P<d>\d{1,2})(?!\d)"),
    re.compile(
        rf"\b(?P<d>\d{{1,2}})(?:st|nd|rd|th|er|º|°|ª|\.)?[\s-]{{0,2}}(?:de\s|of\s)?(?P<name>{_MONTH})"
        r"(?:,?[\s-]{0,2}(?:de\s|del\s)?(?P<y>(?:19|20)\d{2})(?!\d))?"
    ),
    re.compile(
        rf"\b(?P<name>{_MONTH})\s?(?P<d>\d{{1,2}})(?:st|nd|rd|th)?(?!\d|:)"
        r"(?:,?\s{0,2}(?P<y>(?:19|20)\d{2})(?!\d))?"
    ),
    re.compile(
        r"(?<![\d.:/])(?P<a>\d{1,2})\s?(?P<sep>[./-])\s?(?P<b>\d{1,2})\s?(?P=sep)\s?(?P<y>\d{4}|\d{2})(?![\d:])"
    ),
    re.compile(r"(?<![\d.:/])(?P<a>\d{1,2})\.\s?(?P<b>\d{1,2})\.(?!\s?\d)"),
    re.compile(r"(?<![\d.:/])(?P<a>\d{1,2})/(?P<b>\d{1,2})(?![\d/])"),
)

_DATE_SIGN = re.compile(r"\d\s?[./-]\s?\d")
_CLOCK = re.compile(
    r"(?<![\d.:,/+-])(?P<h>2[0-4]|[01]?\d)(?!\d)"
    r"(?:\s?(?P<sep>[:.hu]|h\s)\s?(?P<m>[0-5]\d)(?!\d)(?:[:.](?P<s>[0-5]\d)(?:\.\d{1,6})?(?!\d))?|(?P<bare>\s?h(?![a-zà-ÿ])))?"
    r"(?:\s?(?P<ap>[ap])\.?\s?m\b\.?)?"
    r"(?:\s?(?P<unit>uhr|uur|hrs|hs|h|u)\b\.?|\s?(?:horas|heures)\b)?",
)

_ABBREVIATED_ZONES: dict[str, int | str] = {
    # minutes east of UTC, or the IANA name where summer time decides
    "gmt": 0, "utc": 0, "z": 0, "wet": 0, "bst": 60, "west": 60, "cet": 60, "mez": 60,
    "cest": 120, "mesz": 120, "eet": 120, "eest": 180, "msk": 180, "sast": 120, "cat": 120,
    "eat": 180, "wat": 60, "gst": 240, "pkt": 300, "ict": 420, "wib": 420, "sgt": 480,
    "hkt": 480, "awst": 480, "jst": 540, "kst": 540, "acst": 570, "acdt": 630, "aest": 600,
    "aedt": 660, "nzst": 720, "nzdt": 780, "brt": -180, "art": -180, "clt": -240,
    "est": -300, "edt": -240, "cst": -360, "cdt": -300, "mst": -420, "mdt": -360,
    "pst": -480, "pdt": -420, "akst": -540, "akdt": -480, "hst": -600,
    "et": "America/New_York", "ct": "America/Chicago", "mt": "America/Denver",
    "pt": "America/Los_Angeles", "ist": "Asia/Kolkata", "aet": "Australia/Sydney",
    "uk": "Europe/London", "eastern": "America/New_York", "pacific": "America/Los_Angeles",
}  # fmt: skip
"""Abbreviations of IANA tzdata that newsrooms write; IST is India's unless the page says else."""

_ZONE_OFFSET = re.compile(
    r"(?:\b(?:gmt|utc)\s?)?(?P<sign>[+-])(?P<h>\d{2}):?(?P<m>\d{2})\b|\b(?:gmt|utc)\s?(?P<sign1>[+-])(?P<h1>\d{1,2})\b"
)

_WEEKDAYS = (
    "monday tuesday wednesday thursday friday saturday sunday mon tue tues wed thu thur thurs fri "
    "sat sun montag dienstag mittwoch donnerstag freitag samstag sonnabend sonntag mo di mi do fr "
    "sa so lundi mardi mercredi jeudi vendredi samedi dimanche lun mer jeu ven sam dim "
    "lunes martes miércoles miercoles jueves viernes sábado sabado domingo mié jue vie sáb dom "
    "lunedì martedì mercoledì giovedì venerdì sabato domenica gio "
    "maandag dinsdag woensdag donderdag vrijdag zaterdag zondag ma wo vr za zo "
    "poniedziałek wtorek środa czwartek piątek sobota niedziela poniedziałku "
    "segunda terça quarta quinta sexta feira segunda-feira terça-feira quarta-feira quinta-feira "
    "sexta-feira seg ter qua qui sex pn pon wt śr czw cz pią sob sb nd niedz"
)
_UPDATE_WORDS = words(
    "updated update modified edited aktualisiert geändert actualisé mise mis jour modifié "
    "actualizado modificado aggiornato aggiornamento modifica bijgewerkt gewijzigd "
    "zaktualizowano aktualizacja atualizado atualização atualizada"
)
_BEFORE_UPDATE = re.compile(
    r"(?<!last)(?<!zuletzt)(?<!dernière)(?<!última)(?<!ultimo)"
    r"[\s,.;(–—-]+(?=(?:last |zuletzt |dernière |última |ultimo )?(?:updated|modified|aktualisiert|"
    r"geändert|mise? à jour|actualizad|aggiornat|bijgewerkt|zaktualizowan|atualizad))",
    re.IGNORECASE,
)
_FILLER = frozenset(
    (
        _WEEKDAYS + " posted published publié publie publicado publicada publiziert veröffentlicht "
        "erstellt pubblicato gepubliceerd geplaatst opublikowano publikacja created time date "
        "datum zeit stand last le la el il de het o a à às as at on um am den der dem vom op om "
        "alle ore ora dia del di du the by and und et y e en i na godz godzina godziny w dn dnia "
        "uhr uur h hs hrs kl publisert publicerad today heute aujourd'hui aujourd hui hoy oggi "
        "vandaag dziś dzisiaj hoje yesterday "
        "gestern hier ayer ieri gisteren wczoraj ontem local ortszeit heure locale time: vor r "
        "minute min minuto first originally initially filed added erstmals zuerst "
        "since depuis seit ago now live edt las los ás from time(s)"
    ).split()
)
_WORD = re.compile(r"[^\W\d_]+")
_MILITARY = re.compile(
    r"\b([01]\d|2[0-3])([0-5]\d)(?=\s?(?:gmt|utc|bst|ist|cet|cest|est|edt|et|hrs)\b)", re.IGNORECASE
)
_AGO_ASIDE = re.compile(r"\b\d{1,3}\s?(?:s|secs?|m|mins?|minutes?|h|hrs?|hours?|d|days?)\s?ago\b")
_ZONE_NAMES = (
    ("british summer time", "bst"), ("greenwich mean time", "gmt"), ("irish standard time", "bst"),
    ("central european summer time", "cest"), ("central european time", "cet"),
    ("coordinated universal time", "utc"), ("eastern daylight time", "edt"),
    ("eastern standard time", "est"), ("eastern time", "et"), ("pacific time", "pt"),
    ("indian standard time", "ist"), ("hora peninsular española", ""), ("hora peninsular", ""),
    ("heure de paris", ""), ("heure française", ""), ("ora italiana", ""), ("ora locale", ""),
    ("nederlandse tijd", ""), ("belgische tijd", ""), ("lokale tijd", ""), ("czasu polskiego", ""),
    ("czasu lokalnego", ""), ("horário de brasília", "brt"), ("hora de brasília", "brt"),
    ("de brasília", "brt"), ("hora de lisboa", ""), ("hora local", ""), ("heure locale", ""),
    ("local time", ""), ("ortszeit", ""),
)  # fmt: skip
_OPENING_WORDS = re.compile(r"^(?:(?:pt|mar)\.?,?\s(?=\d\d?[:.h])|il est\s)")
"""Weekdays that are also a zone or a month, and a verb that is also a zone."""
_NAMES_ZONE = re.compile(r"\btime\b|\bhora |\bheure |\bora |\btijd\b|\bczasu |brasília|ortszeit")
_DIGIT = re.compile(r"\d")
_MAX_ZONE_CHARS = 5

_SECONDS_OF_UNIT = {
    "second": 1, "sec": 1, "s": 1, "sekunde": 1, "sekunden": 1, "seconde": 1, "segundo": 1,
    "secondi": 1, "sekund": 1,
    "m": 60, "min": 60, "minute": 60, "minuten": 60, "minuto": 60, "minuti": 60, "minut": 60,
    "minuty": 60, "minuutje": 60, "minuut": 60,
    "h": 3600, "hr": 3600, "hour": 3600, "std": 3600, "stunde": 3600, "stunden": 3600,
    "heure": 3600, "hora": 3600, "ora": 3600, "ore": 3600, "uur": 3600, "godz": 3600,
    "godzina": 3600, "godziny": 3600, "godzin": 3600, "godzinę": 3600,
    "d": 86400, "day": 86400, "tag": 86400, "tagen": 86400, "tage": 86400, "jour": 86400,
    "j": 86400, "día": 86400, "dia": 86400, "giorno": 86400, "giorni": 86400, "dag": 86400,
    "dagen": 86400, "dni": 86400, "dzień": 86400,
}  # fmt: skip
_AGO = re.compile(
    r"^(?:updated\s|posted\s|published\s)?(?:"
    r"(?P<n1>\d{1,3})\s?(?P<u1>[^\W\d_]{1,9})\.?\s(?:ago|fa|geleden|temu|atrás)"
    r"|(?:vor|il y a|hace|há)\s(?P<n2>\d{1,3})\s?(?P<u2>[^\W\d_]{1,9})\.?)$"
)
_SPOKEN_AGO = {
    phrase: timedelta(seconds=seconds)
    for seconds, phrases in (
        (0, ("just now|moments ago|gerade eben|soeben|à l'instant|ahora mismo|ahora|adesso|"
            "proprio ora|zojuist|teraz|przed chwilą|agora|agora mesmo")),
        (60, ("a minute ago|one minute ago|vor einer minute|il y a une minute|hace un minuto|"
             "un minuto fa|een minuut geleden|minutę temu|há um minuto")),
        (3600, ("an hour ago|one hour ago|vor einer stunde|il y a une heure|hace una hora|"
               "un'ora fa|een uur geleden|godzinę temu|há uma hora")),
    )
    for phrase in phrases.split("|")
}  # fmt: skip
"""Distances that are told without a figure."""
MAX_SPOKEN_AGO_CHARS = max(map(len, _SPOKEN_AGO)) + 2
_MINUTE_OF_PLAY = re.compile(
    r"^(?:min(?:ute)?\.?\s?)?(?P<m>\d{1,3}(?:\s?\+\s?\d{1,2})?)"
    r"\s?(?:['’′‘](?P<more>\s?\+\s?\d{1,2}['’′‘]?)?(?:\s?(?:[pst]t|[12]t))?"
    r"|\.?\s?(?:min|minute|minuto|minuta)\b\.?)$"
)

_ORDINALS_AND_HALVES = "a p m am pm st nd rd th er t z fa geleden temu atrás vor il y hace há utc"
_SPOKEN_WORDS = _FILLER | _UPDATE_WORDS
_LEFT_WORDS = _SPOKEN_WORDS | _ABBREVIATED_ZONES.keys()
"""What may be left of an expression without its day, clock and zone; some say the zone twice."""
_KNOWN_WORDS = (
    _SPOKEN_WORDS
    | _MONTHS.keys()
    | _ABBREVIATED_ZONES.keys()
    | _SECONDS_OF_UNIT.keys()
    | {f"{unit}s" for unit in _SECONDS_OF_UNIT}
    | set(" ".join(name for name, _ in _ZONE_NAMES).split())
    | {*_ORDINALS_AND_HALVES.split(), "il", "est", "u"}
)
"""Every word that a time expression may hold; one other makes it prose."""

_ISO = re.compile(
    r"^(?P<y>\d{4})-?(?P<mo>\d{2})-?(?P<d>\d{2})(?:[T ]\s?(?P<h>\d{2}):?(?P<mi>\d{2})"
    r"(?::?(?P<s>\d{2})(?:[.,](?P<f>\d{1,9}))?)?\s?(?P<z>Z|z|UTC|GMT|[+-]\d{2}:?\d{2}|[+-]\d{2})?(?:\[[^\]]{0,40}\])?)?$"
)
_RFC_822 = re.compile(
    r"^(?:[A-Za-z]{3},?\s)?(?P<d>\d{1,2})\s(?P<mon>[A-Za-z]{3})\s(?P<y>\d{4})\s"
    r"(?P<h>\d{2}):(?P<mi>\d{2})(?::(?P<s>\d{2}))?\s(?P<z>GMT|UTC|[+-]\d{4})"
)
_EPOCH = re.compile(r"^\d{10}(?:\.\d+)?$|^\d{13}$")
_EARLIEST_EPOCH_S = 883_612_800  # 1998-01-01: before the first live blogs
_YEARS = range(1990, 2100)
_LATEST_EPOCH_S = 4_102_444_800  # 2100-01-01


def zone_named(name: str | None) -> tzinfo | None:
    """The IANA zone of that name; None for None or a name nobody knows."""
    if not name:
        return None
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None


def names_zone(text: str) -> bool:
    """Whether a text is the short name of a zone and nothing else, such as "BST"."""
    return len(text) <= _MAX_ZONE_CHARS and text.isupper() and text.lower() in _ABBREVIATED_ZONES


@lru_cache(maxsize=4096)
def read_machine(text: str) -> Stamp | None:
    """An ISO 8601, RFC 822 or epoch value, seconds or milliseconds; None if it is none."""
    text = text.strip()
    if len(text) > MAX_EXPRESSION_CHARS:
        return None
    if len(text) > 19 and text[4:5] == "-" and text[10:11] == "T":
        try:
            moment = datetime.fromisoformat(text)
        except ValueError:
            moment = None
        if moment is not None and moment.tzinfo is not None and moment.year in _YEARS:
            return Stamp(instant=moment.astimezone(UTC), zone=moment.tzinfo)
    if _EPOCH.match(text):
        seconds = float(text) / (1000 if len(text) == 13 and "." not in text else 1)
        if _EARLIEST_EPOCH_S <= seconds < _LATEST_EPOCH_S:
            return Stamp(instant=datetime.fromtimestamp(seconds, UTC))
        return None
    match = _ISO.match(text)
    try:
        if match:
            return _iso(match)
        match = _RFC_822.match(text)
        if match:
            return _rfc_822(match)
    except (ValueError, OverflowError):
        return None
    return None


def _iso(match: re.Match[str]) -> Stamp | None:
    day = date(int(match["y"]), int(match["mo"]), int(match["d"]))
    if day.year not in _YEARS:
        return None
    if not match["h"]:
        return Stamp(day=day)
    fraction = int((match["f"] or "0")[:6].ljust(6, "0"))
    hour = int(match["h"])
    clock = time(
        hour % 24 if hour == 24 else hour, int(match["mi"]), min(int(match["s"] or 0), 59), fraction
    )
    zone = match["z"]
    if not zone:
        return Stamp(day=day, clock=clock)
    return Stamp(
        instant=datetime.combine(day, clock, _offset(zone)).astimezone(UTC), zone=_offset(zone)
    )


def _rfc_822(match: re.Match[str]) -> Stamp | None:
    month = _MONTHS.get(match["mon"].lower())
    if month is None or int(match["y"]) not in _YEARS:
        return None
    moment = datetime(
        int(match["y"]), month, int(match["d"]), int(match["h"]), int(match["mi"]),
        int(match["s"] or 0), tzinfo=_offset(match["z"]),
    )  # fmt: skip
    return Stamp(instant=moment.astimezone(UTC), zone=moment.tzinfo)


def _offset(text: str) -> tzinfo:
    if text[0] not in "+-":
        return UTC
    digits = text[1:].replace(":", "").ljust(4, "0")
    minutes = int(digits[:2]) * 60 + int(digits[2:])
    if minutes == 0:
        return UTC
    return timezone(timedelta(minutes=-minutes if text[0] == "-" else minutes))


def read_expression(text: str) -> Stamp | None:
    """A text that is a time and nothing else: "Posted at 15:05", "12.05 BST", "9h05".

    None when words are left over that belong to no time, or when it tells
    neither clock, nor day, nor distance, nor minute of play.
    """
    if len(text) > MAX_EXPRESSION_CHARS:
        return None
    return _read_expression(text) if _DIGIT.search(text) else read_spoken_ago(text)


def read_expressions(text: str) -> list[Stamp]:
    """The times of a line of several: "Published 21:12 | Updated 21:25"; else none."""
    parts = [part for half in _BEFORE_UPDATE.split(text) for part in line_parts(half)]
    return read_each(parts) if len(parts) > 1 else []


def read_each(parts: list[str]) -> list[Stamp]:
    """The times of the parts of a line; none if any of them is none."""
    stamps = [stamp for stamp in map(read_expression, parts) if stamp is not None]
    return stamps if len(stamps) == len(parts) else []


def read_spoken_ago(text: str) -> Stamp | None:
    """A distance that is told without a figure: "vor einer Stunde", "just now"."""
    if len(text) > MAX_SPOKEN_AGO_CHARS:
        return None
    ago = _SPOKEN_AGO.get(text.strip().lower().replace("’", "'"))
    return Stamp(ago=ago) if ago is not None else None


@lru_cache(maxsize=8192)
def _read_expression(text: str) -> Stamp | None:
    text = " ".join(text.split()).replace("(s)", "s")
    low = text.lower().strip(" |•·-–—:,()[]+")
    if any(word not in _KNOWN_WORDS for word in _WORD.findall(low)):
        return None
    minute = _MINUTE_OF_PLAY.match(low)
    if minute:
        return Stamp(minute=re.sub(r"[\s'’′‘]", "", minute["m"] + (minute["more"] or "")))
    return read_machine(text) or _read_ago(low) or _read_phrase(low)


def _read_phrase(low: str) -> Stamp | None:
    """Day, clock and zone with the words that go with them, and no others."""
    low = _OPENING_WORDS.sub("", low)
    if _NAMES_ZONE.search(low):
        for name, short in _ZONE_NAMES:
            low = low.replace(name, short)
    stamp, rest = _read_parts(_AGO_ASIDE.sub(" ", _MILITARY.sub(r"\1:\2", low)))
    if stamp is None or _DIGIT.search(rest):
        return None
    words = set(_WORD.findall(rest))
    if not words <= _LEFT_WORDS:
        return None
    return stamp if words.isdisjoint(_UPDATE_WORDS) else stamp._replace(is_update=True)


def _read_ago(low: str) -> Stamp | None:
    match = _AGO.match(low)
    if not match:
        return None
    unit = (match["u1"] or match["u2"]).rstrip(".")
    seconds = _SECONDS_OF_UNIT.get(unit) or _SECONDS_OF_UNIT.get(unit.rstrip("s"))
    if seconds is None:
        return None
    return Stamp(
        ago=timedelta(seconds=seconds * int(match["n1"] or match["n2"])),
        is_update=low.startswith("updated"),
    )


def _read_parts(low: str) -> tuple[Stamp | None, str]:
    """Day, clock and zone in a lower-case text, and what is left of it."""
    day, month_day, low = _take_day(low)
    clock, low = _take_clock(low)
    if clock is None and day is None and month_day is None:
        return None, low
    zone: tzinfo | None = None
    if clock is not None:
        zone, low = _take_zone(low)
    stamp = Stamp(day=day, month_day=month_day, clock=clock, zone=zone)
    if day is not None and clock is not None and zone is not None:
        stamp = stamp._replace(instant=at(day, clock, zone))
    return stamp, low


def _take_day(low: str) -> tuple[date | None, tuple[int, int] | None, str]:
    """The first day in a text, whole or as (month, day), and the text without it."""
    named = not _MONTHS.keys().isdisjoint(_WORD.findall(low))
    if not named and not _DATE_SIGN.search(low):
        return None, None, low
    for pattern in _DATES:
        if not named and "name" in pattern.groupindex:
            continue
        for match in pattern.finditer(low):
            try:
                found = _day_of(match.groupdict())
            except ValueError:
                continue
            if found is not None:
                return *found, f"{low[: match.start()]} {low[match.end() :]}"
    return None, None, low


def _day_of(groups: dict[str, str | None]) -> tuple[date | None, tuple[int, int] | None] | None:
    """The day that the groups of a date pattern name; ValueError if the calendar has none."""
    if "a" in groups:
        day_of_month, month = int(groups["a"] or 0), int(groups["b"] or 0)
        if month > 12 >= day_of_month:
            day_of_month, month = month, day_of_month
    else:
        name = groups.get("name")
        number = _MONTHS.get(name.rstrip(".")) if name else int(groups["m"] or 0)
        if number is None:
            return None
        day_of_month, month = int(groups["d"] or 0), number
    year_text = groups.get("y")
    if not year_text:
        date(2000, month, day_of_month)
        return None, (month, day_of_month)
    year = int(year_text) + (2000 if len(year_text) == 2 else 0)
    return (date(year, month, day_of_month), None) if year in _YEARS else None


def _take_clock(low: str) -> tuple[time | None, str]:
    for match in _CLOCK.finditer(low):
        clock = _clock(match)
        if clock is not None:
            return clock, f"{low[: match.start()]} {low[match.end() :]}"
    return None, low


def _clock(match: re.Match[str]) -> time | None:
    hour, minute = int(match["h"]), int(match["m"] or 0)
    half = match["ap"]
    if match["m"] is None and not half and not match["unit"] and not match["bare"]:
        return None
    if half:
        if not 1 <= hour <= 12:
            return None
        hour = hour % 12 + (12 if half == "p" else 0)
    if hour == 24:
        if minute:
            return None
        hour = 0
    return time(hour, minute, int(match["s"] or 0))


def _take_zone(low: str) -> tuple[tzinfo | None, str]:
    match = _ZONE_OFFSET.search(low) if "+" in low or "-" in low else None
    if match:
        sign = match["sign"] or match["sign1"]
        minutes = int(match["h"] or match["h1"]) * 60 + int(match["m"] or 0)
        if minutes <= 14 * 60:
            zone = (
                UTC
                if not minutes
                else timezone(timedelta(minutes=minutes if sign == "+" else -minutes))
            )
            return zone, f"{low[: match.start()]} {low[match.end() :]}"
    for word in _WORD.finditer(low):
        known = _ABBREVIATED_ZONES.get(word[0])
        if known is not None:
            zone_found = (
                zone_named(known) if isinstance(known, str) else timezone(timedelta(minutes=known))
            )
            return zone_found, f"{low[: word.start()]} {low[word.end() :]}"
    return None, low


def at(day: date, clock: time, zone: tzinfo) -> datetime | None:
    """That clock on that day in that zone, in UTC; None outside the calendar."""
    try:
        return datetime.combine(day, clock, zone).astimezone(UTC)
    except OverflowError:
        return None


_LEAD = re.compile(
    r"^[\W_]{0,6}(?P<at>(?i:ore|um|à|às|at|godz\.?|om|alle|kl\.?|uhrzeit|h)\s)?"
    r"(?P<clock>(?:2[0-4]|[01]?\d)(?!\d)(?:\s?[:.hHu]\s?[0-5]\d(?!\d)(?::[0-5]\d)?|\s?[hH](?=[\s.:\-–—,]))?(?:\s?[aApP]\.?[mM]\b\.?)?)"
    r"(?P<unit>\s?(?:Uhr|uhr|UHR|uur|hrs|hs|h|u)\b\.?)?"
    r"(?P<zone>\s?\(?(?:[A-Z]{2,4}T|GMT|UTC|MEZ|MESZ|ET|PT|CT|UK|IST|BST)(?:\stime)?\b\)?)?"
    r"(?P<sep>\s?[:\-–—|•·>»,.)\]+]{1,4}(?=\s|$|[^\W\d])|\s|$)"
)
"""A clock that opens a line, with what follows it; bounded in every part."""
_LEAD_UPDATE = re.compile(
    r"^(?:(?:erst|neues )?update|aktualisiert|aktualisierung|(?:erst|original|ursprungs)meldung)"
    r"\s?(?:vom|am|um|from|at|du|del|di)?\s?"
    r"(?P<moment>[^:]{0,30}\d{1,2}[.:h]\d{2}(?:\s?(?:uhr|[ap]\.?m\.?))?)\s?[:–—-]\s",
    re.IGNORECASE,
)
"""A moment that opens a line behind the word for an update: "Update vom 15. Juni, 21.40 Uhr:"."""
_LEAD_DATED = re.compile(
    r"^[\W_]{0,6}(?P<moment>(?=[^–—|•:]{0,20}[^\W\d_]{3})[^–—|•:]{6,40}?\d{1,2}[.:hH]\d{2}(?:\s?(?:uhr|uur|h|[ap]\.?m\.?))?)"
    r"\s?[:–—|•-]\s",
    re.IGNORECASE,
)
"""A day and a clock that open a line: "Lunedì 14 ottobre, ore 22.10 – "."""
_LEAD_BORDER = re.compile(r"\s?:\s|\s[–—|•-]\s")
_LEAD_MINUTE = re.compile(
    r"^[\W_]{0,3}(?P<m>\d{1,3}(?:\s?\+\s?\d{1,2})?)\s?['’′‘](?:\s?(?:[pst]t|[12]t)\b)?"
    r"(?P<sep>\s?[:\-–—|•·.]{0,2}\s?)"
)


def read_lead(text: str) -> tuple[Stamp, str, bool] | None:
    """A line that opens with its clock: "12.31 Uhr: headline", "9h05 - headline".

    Returns the stamp, the rest of the line, and whether a unit, a zone or
    punctuation sets the clock apart (else it may just be a number).
    """
    head = text[:60]
    if not _DIGIT.search(head):
        return None
    moment = _LEAD_UPDATE.match(head) or _LEAD_DATED.match(head)
    if moment:
        stamp = read_expression(moment["moment"])
        if stamp is not None and stamp.tells_clock:
            return stamp, text[moment.end() :].strip(), True
    return _read_dated_lead(text, head) or _read_plain_lead(text, head)


def _read_dated_lead(text: str, head: str) -> tuple[Stamp, str, bool] | None:
    """A line that opens with day and clock in any order: "20.05.2026, 21:12 Uhr: headline"."""
    for border in reversed(list(_LEAD_BORDER.finditer(head))):
        stamp = read_expression(head[: border.start()])
        if stamp is not None and stamp.tells_clock and (stamp.day or stamp.month_day):
            return stamp, text[border.end() :].strip(), True
    return None


def _read_plain_lead(text: str, head: str) -> tuple[Stamp, str, bool] | None:
    """A line that opens with nothing but its clock, or the minute of play."""
    if not _DIGIT.search(head[:16]):
        return None
    minute = _LEAD_MINUTE.match(head)
    if minute:
        rest = text[minute.end() :].strip()
        return Stamp(minute=minute["m"].replace(" ", "")), rest, True
    text = _MILITARY.sub(r"\1:\2", text, count=1) if head[:1].isdigit() else text
    match = _LEAD.match(text[:60])
    if not match:
        return None
    low = match["clock"].lower()
    if not any(mark in low for mark in ":.hum") and not match["unit"]:
        return None
    stamp, _ = _read_parts(
        f"{low}{(match['unit'] or '').lower()} {(match['zone'] or '').lower().strip(' ()')}"
    )
    if stamp is None or stamp.clock is None:
        return None
    framed = text.startswith("+++")
    set_apart = framed or bool(match["unit"] or match["zone"] or match["sep"].strip())
    if "." in low and not (set_apart or match["at"]):
        return None
    rest = text[match.end() :].strip()
    return stamp, rest.rstrip("+ ") if framed else rest, set_apart


_TAIL = re.compile(
    r"(?P<day>\d{1,2}\.?\s?(?:de\s)?[^\W\d_]{3,12}\.?,?\s(?:de\s)?\d{4}|\d{1,2}[./-]\d{1,2}[./-]\d{2,4}|\d{4}-\d{2}-\d{2}"
    r"|[^\W\d_]{3,12}\.?\s\d{1,2},\s\d{4})"
    r"(?:\s?[,|•·–-]?\s?(?:at|um|à|às|a las|alle|ore|om|godz\.?|o)?\s?)"
    r"(?P<clock>\d{1,2}[:.hH]\d{2}(?:\s?[ap]\.?m\.?)?)(?P<zone>\s?(?:Uhr|uur|h|\(?[A-Z]{2,4}\)?))?\s*$"
)
"""A day and a clock that close a line."""
_CLOCK_AT_END = re.compile(r"\d[:.hHu]\d\d\D{0,12}$")
_MAX_TAIL_CLOCK = 16
"""What ``_TAIL`` can match from the clock's last hour digit on, without trailing blanks."""


def read_tail(text: str) -> tuple[str, Stamp] | None:
    """A line that closes with day and clock, such as ``Jane Doe24 May 2023 04:30``.

    Returns what stands before (the name) and the stamp.
    """
    if len(text) > MAX_EXPRESSION_CHARS + 60 or not _DIGIT.search(text[-14:]):
        return None
    match = _TAIL.search(text) if _CLOCK_AT_END.search(text.rstrip()[-_MAX_TAIL_CLOCK:]) else None
    if not match:
        return None
    stamp = read_expression(text[match.start() :].strip())
    if stamp is None or not stamp.tells_clock:
        return None
    return text[: match.start()].strip(" ,|•·–-"), stamp


_BRACKET_AT_END = re.compile(r"[(\[]([^()\[\]]{4,60})[)\]]$")
_CLOSING_CLOCK = re.compile(
    r"(?P<set_apart>\s?[(\[]\s?|\s[|•·–—-]\s|[|•·]\s?)?(?:(?:,|(?<=[^\W_]))\s)?"
    r"(?P<at>(?:at|um|à|às|a las|alle(?: ore)?|om|godz\.?|o|ore|kl\.?)\s)?"
    r"(?P<clock>\d{1,2}\s?[:.hHu]\s?\d{2}(?:\s?[aApP]\.?[mM]\.?)?)"
    r"(?P<unit>\s?(?:Uhr|uur|hrs|h|\(?[A-Z]{2,4}\)?))?\s?[)\]]?$"
)
"""A clock that closes a line, be it set apart or not."""


def read_closing_clock(text: str) -> tuple[str, Stamp, bool] | None:
    """A line that closes with a bare clock: "Jane Doe | 21:40", "+++ Headline (21.40 Uhr) +++".

    Returns what stands before, the stamp, and whether a bracket or bar sets the clock
    apart (else it may be part of a sentence).
    """
    text = text.rstrip("+ ")
    bracket = _BRACKET_AT_END.search(text) if len(text) <= MAX_EXPRESSION_CHARS + 60 else None
    whole = read_expression(bracket[1]) if bracket else None
    if bracket and whole is not None and whole.tells_clock:
        rest = text[: bracket.start()].strip(" +")
        return (rest, whole, True) if rest else None
    if len(text) > MAX_EXPRESSION_CHARS + 60 or not _CLOCK_AT_END.search(text[-_MAX_TAIL_CLOCK:]):
        return None
    match = _CLOSING_CLOCK.search(text)
    if not match or not (match["set_apart"] or match["at"] or "," in match[0]):
        return None
    rest = text[: match.start()].strip(" ,|•·–-+")
    said = f"{match['clock']}{match['unit'] or ''}".replace("(", " ").strip(" )")
    stamp = read_expression(said) if rest else None
    if stamp is None or not stamp.tells_clock:
        return None
    return rest, stamp, match["set_apart"] is not None


@lru_cache(maxsize=2048)
def read_day(text: str) -> Stamp | None:
    """A day heading: "Donnerstag, 18. 7.", "24 May", "mercredi 3 mai 2023"; else None."""
    if len(text) > MAX_EXPRESSION_CHARS:
        return None
    stamp = read_expression(text)
    if stamp is None or stamp.clock is not None or stamp.instant is not None or stamp.is_update:
        return None
    return stamp if stamp.day or stamp.month_day else None


def says_update(text: str) -> bool:
    """Whether a text only announces the time of an update: "Updated at", "Mis à jour le"."""
    words = _WORD.findall(text.lower()) if len(text) < 40 else []
    return any(w in _UPDATE_WORDS for w in words) and all(
        w in _UPDATE_WORDS or w in _FILLER for w in words
    )
