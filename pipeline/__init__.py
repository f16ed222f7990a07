"""Wires the stages into the graph and faces the user."""
