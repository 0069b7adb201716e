"""The arithmetic of the comparisons, and the page that it ends in (suite `instructions` of tools/test)."""
import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import counts  # noqa: E402
import figures  # noqa: E402
import report  # noqa: E402


@pytest.mark.parametrize("relay, kept", [
    ([10, 10, 10], [0, 1, 2]),
    ([10, 11.6, 10], [0, 2]),  # dearer than usual
    ([10, 10, 8.4], [0, 1]),  # cheaper, too: the others of that round may not have been
    ([10, 11.5, 8.5], [0, 1, 2]),  # at the limit
    ([], []),
])
def test_a_round_in_which_the_relay_moved_is_thrown_away(relay, kept):
    assert figures.quiet_rounds(relay) == kept


def test_ratios_are_of_one_round_and_only_of_rounds_that_count():
    ours, theirs = [10, 20, 99], [20, 40, 1]
    ratio = figures.ratio_of(ours, theirs, [0, 1])
    assert (ratio.median, ratio.least, ratio.most) == (0.5, 0.5, 0.5)
    assert str(figures.ratio_of([1, 2, 3], [2, 2, 2], [0, 1, 2])) == "1.00 (0.50 to 1.50)"
    assert figures.ratio_of(ours, theirs, []) is None


def test_the_best_peer_is_the_one_with_the_least_median_and_ours_is_none():
    field = {"lateen": [1, 1, 1], "nginx": [5, 9, 5], "haproxy": [4, 6, 8]}
    assert figures.best_of(field, ("nginx", "haproxy", "nghttpx"), [0, 1, 2]) == "nginx"
    assert figures.best_of(field, ("nginx", "haproxy"), [0, 1]) == "haproxy"
    assert figures.best_of(field, ("nghttpx",), [0]) is None
    assert figures.best_of(field, ("nginx",), []) is None


def test_what_is_paid_once_is_not_in_a_slope():
    assert figures.slope(500, 1000 + 500 * 7, 1500, 1000 + 1500 * 7) == 7


@pytest.mark.parametrize("now, verdict", [
    (1000, "same"), (1050, "same"), (1051, "warn"), (1150, "warn"), (1151, "fail"), (950, "same"), (949, "record"),
])
def test_five_percent_more_is_a_warning_and_fifteen_a_failure(now, verdict):
    assert figures.drift(now, 1000)[1] == verdict


def test_a_goal_holds_at_its_bound_and_is_not_judged_without_a_figure():
    assert figures.at_most("x", 0.9, 0.9).verdict() == "holds"
    assert figures.at_most("x", 0.9, 0.91).verdict() == "**missed**"
    assert figures.at_most("x", 0.9, None).verdict() == "too noisy to say"


def test_a_profile_gives_each_function_what_it_spent_itself():
    dump = "fn=(1) outer\n10 5\n+1 7\ncfn=(2) inner\ncalls=3 +9\n* 600\n-2 1\n\nfn=(2)\n40 600\nfn=(1)\n12 2\ntotals: 615\n"
    assert counts.by_function(dump) == {"outer": 15, "inner": 600}
    assert counts.total_of(dump) == 615


def test_a_page_keeps_its_words_and_the_goals_of_rows_that_did_not_run(tmp_path):
    page = tmp_path / "RESULTS.md"
    page.write_text("# Words\n<!-- bench: goals -->\n| row | goal | reached |  |\n| --- | --- | --- | --- |\n| a | ≤ 1 | 0.5 | holds |\n"
                    "| b | ≤ 2 | 3.0 | **missed** |\n<!-- end: goals -->\nwhy b is missed\n<!-- bench: s -->\nformer\n<!-- end: s -->\nend\n")
    section = report.Section("s", "Title", ["new"], [figures.at_most("b", 2, 1.0), figures.at_most("c", 1, 2.0)])
    report.write_page(page, [section])
    text = page.read_text()
    assert "former" not in text and "new" in text and "why b is missed" in text and text.endswith("<!-- end: s -->\nend\n")
    assert list(report.goals_of(text).values()) == ["| a | ≤ 1 | 0.5 | holds |", "| b | ≤ 2 | 1.00 | holds |", "| c | ≤ 1 | 2.00 | **missed** |"]
    report.clear_goals(page)
    assert report.goals_of(page.read_text()) == {} and "why b is missed" in page.read_text()
