"""Fixtures: the tutorial as the end-to-end tests have it, and a gateway between raw sockets (tests/wire)."""
import pathlib
import sys

sys.path[:0] = [str(pathlib.Path(__file__).resolve().parents[1] / part) for part in ("e2e", "wire")]

from fixtures import manifests, start, tutorial  # noqa: E402,F401
