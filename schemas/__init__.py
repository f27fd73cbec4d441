"""The national contracts and certificate types, as data, with small loaders.

Import from the modules themselves: `schemas.contract.contract`, `schemas.ns`, …
"""
