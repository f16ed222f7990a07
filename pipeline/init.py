"""``init``: a commented sources.yaml to begin with."""

from __future__ import annotations

from typing import TYPE_CHECKING

from schemas.errors import UsageError

if TYPE_CHECKING:
    import argparse

SOURCES = """\
# What you know of the publishers that you read. Only `domain` is required; take the # away from
# what you need. A mistake is told with its line when you run:
#
#   news-ingest batch --sources sources.yaml --output dataset --dry_run

publishers:
  - domain: news.example           # the registered domain; replace it with your publisher's
    name: News Example             # not taken for an author
    feeds:                         # RSS, Atom or JSON
      - https://news.example/rss
    # sitemaps:                    # also news sitemaps and indexes of them
    #   - https://news.example/news-sitemap.xml
    # urls:                        # single pages, such as live blogs
    #   - https://news.example/live/2026/05/12
    # timezone: Europe/London      # for clocks that name none
    # language: en-GB              # for pages that name none
    # delay_s: 2                   # between two requests to one of its hosts
    # topic: sport                 # of everything it publishes; or:
    # topics:                      # a section or a part of an address, and the topic it means
    #   harbour: economy-business-and-finance
    #   weather-warnings: weather

  # - domain: another.example
  #   feeds: [https://another.example/feed.xml]
"""


def run(options: argparse.Namespace) -> int:
    """Write the file; raises UsageError if there is one already, or it cannot be written."""
    try:
        with options.file.open("x", encoding="utf8") as file:
            file.write(SOURCES)
    except FileExistsError as error:
        raise UsageError(f"{options.file} is there already: name another file") from error
    except OSError as error:
        raise UsageError(f"{options.file} cannot be written: {error.strerror}") from error
    print(f"{options.file} is written: put your publishers in, then try")
    print(f"  news-ingest batch --sources {options.file} --output dataset --dry_run")
    return 0
