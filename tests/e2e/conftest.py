"""Fixtures: the tutorial running for a module's reading tests, or a test's own for changes."""
from fixtures import manifests, start, tutorial  # noqa: F401
from harness import BIN, choose_chaos


def pytest_configure(config):
    config.addinivalue_line("markers", "reload: changes under load; also run under TSan")
    config.addinivalue_line("markers", "faults: also run while system calls fail as no user may notice")
    config.addinivalue_line("markers", "browser: needs Chromium")
    config.addinivalue_line("markers", "shares: counts thousands of answers, whose way others go, too; not run under ASan")
    config.addinivalue_line("markers", "chaos: long or strict, run by make chaos alone")
    config.addinivalue_line("markers", "attack: short here, strict and long in make chaos")
    assert BIN.exists(), f"{BIN}: run `make` first"


def pytest_collection_modifyitems(config, items):
    choose_chaos(config, items)
