"""The stages, in the order of the data.

sources -> fetch -> extract -> liveblog -> topics -> dedup -> write
"""
