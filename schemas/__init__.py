"""Records, ids, errors, Arrow schemas and topics: what every stage speaks.

Knows the standard library and pyarrow, never Beam.
"""
