"""A control group of a test's own that gives a process a part of one processor (cgroup v1 and v2)."""
import contextlib
import os
import pathlib
import time

import pytest

ROOT = pathlib.Path("/sys/fs/cgroup")
PERIOD_US = 100000


def make_group(percent):
    """The group's folder and the one to leave for, or a skip that says what the machine refuses."""
    quota = PERIOD_US * percent // 100
    old = (ROOT / "cpu/cpu.cfs_quota_us").exists() or (ROOT / "cpu/cpu.shares").exists()
    parent = ROOT / "cpu" if old else ROOT
    group = parent / f"lateen-test-{os.getpid()}"
    try:
        group.mkdir()
    except OSError as refused:
        pytest.skip(f"no control group: {refused}")
    try:
        if old:
            (group / "cpu.cfs_period_us").write_text(str(PERIOD_US))
            (group / "cpu.cfs_quota_us").write_text(str(quota))
        else:
            (group / "cpu.max").write_text(f"{quota} {PERIOD_US}")
    except OSError as refused:
        group.rmdir()
        pytest.skip(f"no quota for a control group: {refused}")
    return group, parent


def throttled(group):
    """Periods so far, and those in which the quota was used up."""
    stat = dict(line.split() for line in (group / "cpu.stat").read_text().splitlines())
    return int(stat["nr_periods"]), int(stat["nr_throttled"])


@contextlib.contextmanager
def cpu_quota(pid, percent):
    """Gives the group's folder."""
    group, parent = make_group(percent)
    try:
        (group / "cgroup.procs").write_text(str(pid))
        yield group
    finally:
        with contextlib.suppress(OSError):
            (parent / "cgroup.procs").write_text(str(pid))
        for _ in range(100):
            with contextlib.suppress(OSError):
                group.rmdir()
                break
            time.sleep(0.01)
