"""Lines that stand in an entry but are no part of it, and HTML inside strings."""

from __future__ import annotations

import html
import re
import warnings
from functools import lru_cache

from bs4 import BeautifulSoup, MarkupResemblesLocatorWarning
from bs4.element import NavigableString, Tag

from transforms.liveblog.wordlists import words

_LABELS = frozenset(
    [
        "key event",
        "key events",
        "breaking",
        "breaking news",
        "live",
        "pinned",
        "pinned post",
        "update",
        "mise à jour",
        "actualización",
        "aggiornamento",
        "aktualisierung",
        "aktualizacja",
        "atualização",
        "updates",
        "new",
        "share",
        "share this",
        "share this post",
        "share page",
        "about sharing",
        "back to top",
        "skip embed",
        "externer inhalt",
        "external content",
        "contenu externe",
        "contenido externo",
        "contenuto esterno",
        "nach oben",
        "related article",
        "copy link",
        "link copied",
        "copied",
        "copy",
        "facebook",
        "twitter",
        "tweeter",
        "twittear",
        "twittern",
        "x",
        "whatsapp",
        "email",
        "e-mail",
        "linkedin",
        "telegram",
        "reddit",
        "bluesky",
        "threads",
        "print",
        "save",
        "bookmark",
        "comment",
        "comments",
        "reply",
        "like",
        "more",
        "read more",
        "show more",
        "view more",
        "load more",
        "close",
        "open",
        "play",
        "watch",
        "listen",
        "advertisement",
        "ad",
        "advert",
        "sponsored",
        "promoted",
        "article continues below advertisement",
        "wichtig",
        "eilmeldung",
        "teilen",
        "kopieren",
        "link kopieren",
        "drucken",
        "merken",
        "kommentare",
        "anzeige",
        "werbung",
        "mehr anzeigen",
        "mehr",
        "weiterlesen",
        "artikel teilen",
        "angepinnt",
        "partager",
        "copier",
        "copier le lien",
        "lien copié",
        "imprimer",
        "publicité",
        "commenter",
        "commentaires",
        "épinglé",
        "lire la suite",
        "lire plus",
        "essentiel",
        "important",
        "urgent",
        "alerte",
        "direct",
        "en direct",
        "compartir",
        "copiar",
        "copiar enlace",
        "enlace copiado",
        "publicidad",
        "imprimir",
        "comentarios",
        "fijado",
        "última hora",
        "ver más",
        "leer más",
        "en vivo",
        "directo",
        "condividi",
        "copia",
        "copia link",
        "link copiato",
        "pubblicità",
        "stampa",
        "commenti",
        "in evidenza",
        "leggi tutto",
        "diretta",
        "ultima ora",
        "delen",
        "deel",
        "kopieer link",
        "link gekopieerd",
        "advertentie",
        "reacties",
        "vastgepind",
        "lees meer",
        "belangrijk",
        "udostępnij",
        "kopiuj link",
        "skopiowano",
        "reklama",
        "drukuj",
        "komentarze",
        "przypięty",
        "czytaj więcej",
        "pilne",
        "ważne",
        "partilhar",
        "compartilhar",
        "copiar link",
        "link copiado",
        "publicidade",
        "comentários",
        "fixado",
        "ler mais",
        "leia mais",
        "ao vivo",
        "destaque",
        "comentar",
        "kommentieren",
        "kommentar",
        "comenta",
        "commenta",
        "reageer",
        "reageren",
        "skomentuj",
        "speichern",
        "zum artikel",
        "zum beitrag",
        "antworten",
        "répondre",
        "responder",
        "rispondi",
        "odpowiedz",
        "enregistrer",
        "sauvegarder",
        "guardar",
        "salvar",
        "bewaar",
        "zapisz",
        "gostar",
        "curtir",
        "me gusta",
        "j'aime",
        "gefällt mir",
        "mi piace",
        "vind ik leuk",
        "lubię to",
        "seguir",
        "suivre",
        "segui",
        "volgen",
        "folgen",
        "obserwuj",
        "enviar",
        "envoyer",
        "invia",
        "senden",
        "kopieer",
        "kopiuj",
        "nächster beitrag",
        "vorheriger beitrag",
        "permalink",
        "permalien",
        "enlace",
        "seguir leyendo",
        "lees verder",
        "czytaj dalej",
        "ver mais",
        "voir plus",
        "mostra altro",
        "toon meer",
        "pokaż więcej",
        "mehr lesen",
        "réagir",
        "reagir",
        "opinar",
    ]
)
_RELATED = frozenset(
    [
        "related", "related articles", "related stories", "related content", "related story",
        "read also", "also read", "read more", "read next", "more on this story",
        "more on this topic",
        "mehr zum thema", "mehr dazu", "zum thema", "lesen sie auch", "auch interessant",
        "verwandte artikel", "lire aussi", "à lire aussi", "sur le même sujet", "à lire également",
        "más información", "lee también", "te puede interesar", "noticias relacionadas",
        "información relacionada", "leggi anche", "per approfondire", "articoli correlati",
        "lees ook", "meer over dit onderwerp", "czytaj też", "czytaj także", "czytaj również",
        "zobacz też", "zobacz także", "zobacz również", "leia também", "leia mais", "ler também",
        "veja também", "saiba mais", "relacionados", "relacionadas", "relacionado", "correlati",
        "à lire", "gerelateerd", "powiązane", "więcej na ten temat",
        "see also", "siehe auch", "voir aussi", "véase también", "vedi anche", "zie ook",
        "ver também", "noticia relacionada", "artículo relacionado", "article lié",
        "articolo correlato", "verwandter artikel", "gerelateerd artikel", "artigo relacionado",
        "unsere quellen", "quellen", "our sources", "nos sources", "bronnen", "źródła",
    ]
)  # fmt: skip
_RELATED_HEADS = tuple(f"{label} " for label in _RELATED if " " in label)
_MAX_RELATED_CHARS = 32
_MAX_RELATED_TOPIC_CHARS = 70
_KEY_LABELS = re.compile(
    r"^(?:key (?:event|moment|update)s?|wichtig(?:es)?|eilmeldung|essentiel|important|destacado|"
    r"in evidenza|belangrijk|ważne|pilne|destaque|highlight)$",
    re.IGNORECASE,
)
_PINNED_LABELS = re.compile(
    r"^(?:pinned(?: post| update)?|angepinnt|épinglé|fijado|vastgepind|przypięty|fixado|fissato)$",
    re.IGNORECASE,
)
_PROMPTS = re.compile(
    r"""^(?:\(video\)
    |(?:please\ )?sign\ up\ (?:to|for|here|now)\b |subscribe\ (?:to|now|here|for)\b
    |for\ free\ real\ time\ breaking\ news\ alerts
    |join\ (?:our|the)\ (?:commenting\ forum|conversation|discussion|whatsapp|mailing\ list)
    |join\ (?:our|the)\ newsletter
    |join\ thought-provoking\ conversations
    |get\ (?:our|the)\ (?:free\ )?(?:(?:daily|weekly|morning)\ )?(?:newsletter|app|latest)\b
    |download\ (?:our|the)\ [^.]{0,30}app\b |click\ here\ to\ (?:sign|subscribe|join|read|share)
    |follow\ (?:us|our)\b[^.]{0,60}$ |(?:article\ )?continues?\ below\b
    |scroll\ (?:down\ )?for\ more
    |skip\ (?:past|ad|to)\b |enter\ your\ email |by\ (?:signing\ up|entering\ your\ email)
    |support\ (?:our|independent)\ journalism |become\ a\ (?:member|subscriber)
    |allow\ [^.]{1,40}\ content\? |this\ (?:article|content)\ (?:includes|contains)\ content
    |(?:skip|end\ of)\ (?:twitter|x|instagram|facebook|tiktok|youtube)\ (?:post|video)
    |to\ (?:view|see|display)\ this\ (?:content|embed|post|video)\b
    |(?:share|teilen|partager|compartir|condividi|delen|udostępnij|partilhar|compartilhar)
      \ (?:on|via|auf|sur|en|su|op|na|no)\ \w+$
    |we\ need\ your\ (?:consent|permission) |we\ use\ [^.]{1,40}\ to\ manage\ extra\ content
    |(?:externer|external)\ (?:inhalt|content)[:.]
    |ce\ contenu\ est\ bloqué
    |contributing\s?: |om\ (?:dit|deze)\ \w+\ te\ (?:tonen|zien|bekijken)
    |wir\ benötigen\ ihre\ zustimmung
    |um\ (?:eingebettete|externe|diese[ns]?)\ inhalte?\b
    |pour\ (?:afficher|voir)\ ce\ contenu |para\ (?:ver|mostrar)\ este\ contenido
    |per\ visualizzare\ (?:questo|il)\ contenut |om\ deze\ inhoud\ te |aby\ wyświetlić\ t
    |para\ (?:ver|visualizar)\ este\ conteúdo
    |melden\ sie\ sich\ (?:für|zum)\ [^.]{0,40}(?:newsletter|an)
    |alle\ (?:nachrichten|news|infos|artikel)\b[^.]{0,60}\bfinden\ sie\b
    |abonnieren\ sie\b |jetzt\ abonnieren
    |empfohlener\ (?:redaktioneller|externer)\ inhalt |an\ dieser\ stelle\ finden\ sie
    |mit\ ihrer\ zustimmung |ich\ bin\ damit\ einverstanden
    |inscrivez-vous\b |abonnez-vous\b |s'abonner\b |recevez\ (?:notre|nos|la)\b
    |suscríbete\b |apúntate\b |regístrate\b |recibe\ (?:nuestra|la)\ newsletter
    |iscriviti\b |abbonati\b
    |schrijf\ je\ in\b |meld\ je\ aan\b |abonneer\b
    |zapisz\ się\b |zasubskrybuj\b |subskrybuj\b
    |subscreva\b |assine\b |inscreva-se\b |receba\ (?:a|nossa)\ newsletter
    |read\ more(?:\ (?:from|on|about|in)\b[^.:]{0,40})?:
    |let\ us\ know\ (?:what|your)\b[^.]{0,60}$
    |mehr\ (?:dazu|über|zu|zum|zur)\b[^.:]{0,80}\b(?:hier|nachlesen)\b
    |(?:read\ (?:also|next)|also\ read|lesen\ sie\ (?:auch|mehr)|(?:à\ )?lire\ (?:aussi|également)
      |lea?\ también|lee\ también|leggi\ anche|lees\ ook|czytaj\ (?:też|także|również)
      |zobacz\ (?:też|także|również)|leia\ (?:também|mais)|ler\ também|veja\ também)\b)""",
    re.IGNORECASE | re.VERBOSE,
)
_CREDITS = re.compile(
    r"^(?:image (?:source|caption|credit)|photo(?:graph)?s?\s?(?:credit|by|:)|photograph:|"
    r"copyright\b|©|picture:|credit:|bild(?:rechte)?:|foto:|quelle:|crédits?\b|video caption|"
    r"media caption|getty images$|gif\s?:|(?:source|źródło|fonte|fuente|bron)\s?:|fot\.\s|"
    r"\(?(?:image|photo|bild|foto)\s?:)",
    re.IGNORECASE,
)
_CREDIT_AT_END = re.compile(
    r"(?:[|–—-]\s(?:photo|foto|image|bild|picture|source|quelle|fuente|fonte|bron)s?\s?[:.]|\bfot\.\s|"
    r"[(\[][^()\[\]]{0,40}\b(?:photo|foto|image|bild|picture)\b|[(\[][^()\[\]/]{2,40}/)"
    r"[^()\[\]]{2,60}[)\]]?$"
    r"|[^\W\d_a-z][\w.’'-]+(?:\s[^\W\d_a-z][\w.’'-]+){1,3}\s?/\s?"
    r"(?:AP|AFP|EPA|EFE|ANSA|Reuters|Getty(?: Images)?|Shutterstock|imago|dpa)$",
    re.IGNORECASE,
)
"""Whose picture a line below it tells of: "(Jane Doe/Reuters)", "| Photo: J. Roe"."""
_CREDIT_SIGNS = words("/ photo foto fot. image bild picture source: quelle: fuente:")
_SIGN_OFF = re.compile(
    r"[–—-]\s?[A-Z]{2,5}|([^\W\d_]{2,8}(?:/[^\W\d_]{2,8}){1,4})(?:\s?\([^()]{2,60}\))?"
    r"|[–—-]\s?(?:The )?(?:(?:Canadian|(?:Australian )?Associated) Press|Agence France-Presse)"
    r"|(?:Agência|Agencia|Agenzia|Agence) [\w.]{2,20}"
    r"|\([Mm]it (?:\w*[Mm]aterial)\b[^()]{0,40}\)"
    r"|(?!By )(?:[\w .’'-]{2,60}\s)?[Rr]eport(?:ed|ing) from [^.!?]{2,60}\.?"
)
"""Who edited, for which agency: "lo/rt (AFP, dpa)", "Reuters/krott"; and where a reporter is."""
AGENCIES = words("afp ap dpa reuters epd kna apa sda ats efe ansa agi pap lusa anp belga pa aap")
"""News agencies, by the names with which their texts and pictures are signed."""
_MAX_INITIALS = 4
_MAX_SIGN_OFF_CHARS = 60
_PROMPT_HEAD_CHARS = 3
_PROMPT_HEADS = frozenset(
    {"by ", "an ", "à l", "um ", "om ", "to ", "we "}.union(
        *[
            heads.split()
            for heads in (
                "ple sig sub for joi get dow cli fol art con scr ski ent sup bec all thi mel abo",
                "jet emp mit ich ins s'a rec sus apú reg isc abb sch zap ass ima pho cop pic cre",
                "bil fot que cré vid med ext gif",
                "rea let meh end wir pou aby per źró fon fue bro sou als les lir lea lee leg czy",
                "zob lei ler vej sha tei par com del udo",
            )
        ]
    )
)
"""How prompts and credits begin: most lines are none and need no pattern."""
_MAX_PROMPT_CHARS = 260
_MAX_LABEL_CHARS = 48
_MAX_CREDIT_CHARS = 110
_PLACE_ON_COURSE = re.compile(
    r"(?:km|kilometer|kilómetro|lap|runde|tour|vuelta|giro)\.?\s\d{1,3}(?:[.,]\d)?"
)
"""How far a race has come, beside the clock."""


def is_label(text: str) -> bool:
    """Whether a text is a button, badge or advertisement mark."""
    if len(text) >= _MAX_LABEL_CHARS:
        return False
    if len(text) < 3 and not any(map(str.isalnum, text)):
        return True  # the sign of a permalink
    text = text.strip(" \u00a0:·•|-–—!+»>…").lower()
    return (
        text in _LABELS
        or text.endswith(" icon")
        or (text[-1:].isdigit() and _PLACE_ON_COURSE.fullmatch(text) is not None)
    )


def marks_related(text: str) -> bool:
    """Whether a line stands over links to other stories."""
    if len(text) > _MAX_RELATED_TOPIC_CHARS or not text:
        return False
    if len(text) > _MAX_RELATED_CHARS and text[-1] != ":":
        return False
    said = text.strip(" \n\t\r·•|-–—»>…").lower()
    return said.rstrip(": ") in _RELATED or (said.endswith(":") and said.startswith(_RELATED_HEADS))


def marks_key_event(text: str) -> bool:
    """Whether a label says that the entry is a key event."""
    return bool(_KEY_LABELS.match(text.strip(" :!")))


def marks_pinned(text: str) -> bool:
    """Whether a label says that the entry is pinned on top."""
    return bool(_PINNED_LABELS.match(text.strip(" :!")))


def _is_sign_off(text: str) -> bool:
    is_bracketed = text[0] == "(" and text[-1] == ")" and len(text) <= _MAX_SIGN_OFF_CHARS
    if is_bracketed and not AGENCIES.isdisjoint(re.findall(r"\w+", text.lower())):
        return True
    match = _SIGN_OFF.fullmatch(text)
    if not match or match[1] is None:
        return match is not None
    parts = match[1].split("/")
    return not AGENCIES.isdisjoint(part.lower() for part in parts) or all(
        part.islower() and len(part) <= _MAX_INITIALS for part in parts
    )


def is_credit(text: str) -> bool:
    """Whether a line reads as a picture's credit; a headline may, too: "Photos: ..."."""
    return bool(_CREDITS.match(text))


def ends_in_credit(text: str) -> bool:
    """Whether a line closes with whose picture it is about."""
    if len(text) > _MAX_PROMPT_CHARS:
        return False
    tail = text[-_MAX_CREDIT_CHARS:]
    low = tail.lower()
    return any(sign in low for sign in _CREDIT_SIGNS) and bool(_CREDIT_AT_END.search(tail))


def is_noise(text: str) -> bool:
    """Whether a line is a label, a prompt, a video line or a picture credit."""
    if len(text) > _MAX_PROMPT_CHARS:
        return False
    if not text or is_label(text):
        return True
    if ("/" in text or "eport" in text or text[0] in "-–—(A") and _is_sign_off(text):
        return True
    if text[:_PROMPT_HEAD_CHARS].lower() not in _PROMPT_HEADS and text[0] not in "(©":
        return False
    return bool(_PROMPTS.match(text)) or is_credit(text)


_MARKUP = re.compile(
    r"<(?:[a-zA-Z][a-zA-Z0-9]{0,15}[\s/>]|/[a-zA-Z]|!--)|&(?:lt|amp|#\d{1,6}|[a-zA-Z]{2,8});"
)
_TAG = re.compile(r"<(?:[a-zA-Z][a-zA-Z0-9]{0,15}[\s/>]|/[a-zA-Z]|!--)")
_INLINE_ONLY = re.compile(
    r"</?(?:a|b|i|em|strong|span|u|sup|sub|mark|font|small|abbr|cite|time)(?:\s[^<>]{0,2000})?>",
    re.IGNORECASE,
)
_PARAGRAPH_BREAK = re.compile(
    r"<(?:/?(?:p|div|ul|ol|li|h[1-6]|section|article)(?:\s[^<>]{0,2000})?|br\s{0,3}/?)>",
    re.IGNORECASE,
)
_HREF = re.compile(r"<a\s[^<>]{0,1000}?href\s?=\s?[\"']([^\"'<>]{1,2000})", re.IGNORECASE)
EMBED_CLASS = re.compile(
    r"(?:^|[\s_-])(?:twitter-tweet|twitter-video|instagram-media|tiktok-embed|fb-post|"
    r"bluesky-embed|text-post-media|reddit-embed-bq|telegram-post|mastodon-embed|embed)"
    r"(?:$|[\s_-]|__)",
    re.IGNORECASE,
)
"""What platforms call the quotations of posts that their scripts replace."""

_HEADING_FIRST = re.compile(r"\s{0,20}<h[1-6][\s>]", re.IGNORECASE)
_DROPPED = ["script", "style", "iframe", "figure", "figcaption", "button", "svg", "form", "video"]
_PARAGRAPHS = words("p div li h1 h2 h3 h4 h5 h6 blockquote ul ol section article tr pre")


def paragraphs_of(text: str) -> tuple[list[str], list[str], str | None]:
    """The paragraphs, links and leading heading of a string that may hold HTML.

    Takes plain text, HTML, and HTML escaped once or twice. Plain text is one
    paragraph per line. Drops scripts, figures and noise lines.
    """
    if "<" not in text and "&" not in text:
        return _lines(text), [], None
    for _ in range(2):
        if "<" in text and _TAG.search(text):
            break
        if "&" not in text:
            return _lines(text), [], None
        text = _unescaped(text)
    if not _TAG.search(text):
        return _lines(text), [], None
    simple = text
    if not _HEADING_FIRST.match(text):
        simple = _PARAGRAPH_BREAK.sub("\n", _INLINE_ONLY.sub("", text))
    if "<" in simple and _TAG.search(simple):
        return _soup_paragraphs(text)
    links = (
        [_unescaped(link) for link in _HREF.findall(text)] if "<a" in text or "<A" in text else []
    )
    return _lines(_unescaped(simple)), links, None


_ENTITY = re.compile(r"(&(?:#[0-9]+;?|#[xX][0-9a-fA-F]+;?|[^\t\n\f <&#;]{1,32};?))")
"""The pattern of ``html.unescape``, whose answers are kept."""


def _unescaped(text: str) -> str:
    if "&" not in text:
        return text
    parts = _ENTITY.split(text)  # every second part is an entity
    parts[1::2] = map(_unescaped_entity, parts[1::2])
    return "".join(parts)


_unescaped_entity = lru_cache(maxsize=1024)(html.unescape)


def _lines(text: str) -> list[str]:
    if "  " not in text and "\t" not in text and "\xa0" not in text:
        lines = [line.strip() for line in text.splitlines()]
    else:
        lines = [" ".join(line.split()) for line in text.splitlines()]
    return [
        line for line in lines if line and (len(line) > _MAX_PROMPT_CHARS or not is_noise(line))
    ]


def _soup_paragraphs(text: str) -> tuple[list[str], list[str], str | None]:
    # html.parser takes quadratic time over tags that never close
    text = text[: text.rfind(">") + 1]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", MarkupResemblesLocatorWarning)
        soup = BeautifulSoup(text, "html.parser")
    links = [str(a["href"]) for a in soup.find_all("a", href=True)]
    links += [str(frame["src"]) for frame in soup.find_all("iframe", src=True)]
    for gone in [*soup.find_all(_DROPPED), *soup.find_all("blockquote", class_=EMBED_CLASS)]:
        gone.decompose()
    headline = None
    first = soup.find(True)
    if isinstance(first, Tag) and re.fullmatch(r"h[1-6]", first.name):
        headline = " ".join(first.get_text(" ").split()) or None
        first.decompose()
    parts: list[str] = []
    for item in soup.descendants:
        if isinstance(item, Tag):
            if item.name in _PARAGRAPHS or item.name == "br":
                parts.append("\n")
        elif type(item) is NavigableString:
            before = item.previous_element
            closes = isinstance(before, NavigableString) and _blocks_between(before, item)
            parts.append(("\n" if closes else "") + " ".join(f"x{item}x".split())[1:-1])
    return _lines("".join(parts)), links, headline


def _blocks_between(one: NavigableString, other: NavigableString) -> bool:
    parent = one.parent
    while parent is not None and parent is not other.parent:
        if parent.name in _PARAGRAPHS:
            return True
        parent = parent.parent
    return False
