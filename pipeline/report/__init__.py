"""``report``: one HTML page about a dataset, whole in itself. No Beam."""

from __future__ import annotations

import base64
import hashlib
from datetime import UTC, datetime
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from pipeline.files import whole_file
from pipeline.report.facts import gather_facts
from pipeline.report.wording import FILTERS
from pipeline.views import open_views
from schemas.dictionary import tables

if TYPE_CHECKING:
    import argparse


def run(options: argparse.Namespace) -> int:
    """Write the page and print where it is."""
    dataset: str = options.dataset
    output = options.output or f"{dataset}-report.html"
    with open_views(dataset) as connection:
        facts = gather_facts(connection)
    page = render(facts, Path(dataset).resolve().name, datetime.now(UTC))
    with whole_file(output) as file:
        file.write(page.encode())
    print(output)
    return 0


def render(facts: dict[str, Any], name: str, made_at: datetime) -> str:
    """The page. Whatever comes from the dataset is escaped; nothing is loaded, no script runs."""
    environment = Environment(
        loader=PackageLoader("pipeline", "report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= FILTERS
    style = (files("pipeline.report") / "style.css").read_text("utf8")
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    return environment.get_template("page.html").render(
        facts,
        name=name,
        made_at=made_at,
        dictionary=tables(),
        style=Markup(style),  # noqa: S704 - our own file
        policy=f"default-src 'none'; style-src 'sha256-{digest}'; "
        "base-uri 'none'; form-action 'none'",
    )
