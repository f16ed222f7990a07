"""What the templates of known platforms call an entry. Data only; the splitter works without.

Sources: Automattic/liveblog templates, Sourcefabric liveblog-default-theme, Guardian DCR,
Reach and AP page templates, CNN live-story component, Arena and 24liveblog SSR markup.
"""

from __future__ import annotations

ENTRY_SELECTORS: tuple[str, ...] = (
    'div[id^="liveblog-entry-"]',
    "article.lb-post[data-post-id]",
    'article[id^="block-"]',
    "div.live-event-entry[data-post-time]",
    "bsp-liveblog-post",
    'article[data-component-name="live-story-post"]',
)
"""CSS selectors, each naming the entries of one platform."""
