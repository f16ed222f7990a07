"""Take a page apart into its entries."""

from transforms.liveblog.split import split_page

__all__ = ["split_page"]
