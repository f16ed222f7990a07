"""A small news site of our own writing, to try the pipeline on without the network."""

from pipeline.sample_site.server import (
    DEFAULT_PORT,
    SAMPLE_TIMEZONE,
    SampleSite,
    serve_sample_site,
)

__all__ = ["DEFAULT_PORT", "SAMPLE_TIMEZONE", "SampleSite", "serve_sample_site"]
