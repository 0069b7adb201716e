"""What a run prints: sections of Markdown, and the goals' table; a whole page keeps its own words around them."""
import dataclasses
import pathlib
import re
import subprocess
import time


@dataclasses.dataclass
class Section:
    """`lines` are Markdown under the title; `goals` go to the goals' table; `failed` says which rows got a wrong answer."""
    name: str
    title: str
    lines: list = dataclasses.field(default_factory=list)
    goals: list = dataclasses.field(default_factory=list)
    failed: list = dataclasses.field(default_factory=list)

    def add_table(self, head, rows):
        self.lines += ["", *table(head, rows), ""]

    def text(self):
        return f"## {self.title}\n\n{stamp()}\n" + "\n".join(self.lines).rstrip() + "\n"


def table(head, rows):
    return ["| " + " | ".join(map(str, row)) + " |" for row in (head, ["---"] * len(head), *rows)]


def first_line(command):
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    line = next((line.strip() for line in (done.stdout + done.stderr).splitlines() if line.strip()), "?")
    return re.sub(r"^\S*/(?=\w+ )", "", line)  # Envoy begins with its own path


def versions(programs):
    """What the peers say that they are: {name: path}."""
    return "; ".join(first_line([path, "--version" if name == "envoy" else "-v"]) for name, path in programs.items())


def machine():
    cpu = re.search(r"model name\s*: (.*)", pathlib.Path("/proc/cpuinfo").read_text())
    cores = len(re.findall(r"^processor", pathlib.Path("/proc/cpuinfo").read_text(), re.M))
    memory = int(re.search(r"MemTotal:\s+(\d+)", pathlib.Path("/proc/meminfo").read_text())[1]) >> 20
    kernel = pathlib.Path("/proc/sys/kernel/osrelease").read_text().split("-")[0]
    return f"{cores} cores ({cpu[1] if cpu else '?'}), {memory} GiB, Linux {kernel}"


def commit():
    return first_line(["git", "rev-parse", "--short=10", "HEAD"])


def stamp():
    """Date, commit, and how busy the machine was."""
    return (f"{time.strftime('%F %H:%M', time.gmtime())} UTC, commit {commit()}, {machine()}, load average "
            f"{pathlib.Path('/proc/loadavg').read_text().split()[0]}.")


def goals_table(goals):
    return "\n".join(table(["row", "goal", "reached", ""], [[g.row, g.wanted, g.reached, g.verdict()] for g in goals])) + "\n"


def put(page, name, text):
    """`page` with what stands between the marks of `name` replaced."""
    begin, end = f"<!-- bench: {name} -->", f"<!-- end: {name} -->"
    assert begin in page and end in page, f"the page has no marks for {name!r}"
    return page[:page.index(begin) + len(begin)] + "\n" + text + page[page.index(end):]


def goals_of(page):
    """The goals' table of a page as it stands: {row: line}, in order."""
    between = page[page.index("<!-- bench: goals -->"):page.index("<!-- end: goals -->")]
    return {line.split("|")[1].strip(): line for line in between.splitlines()[1:] if line.startswith("| ")
            and not line.startswith("| row") and not line.startswith("| ---")}


def clear_goals(path):
    """What a whole run begins with: rows of before may have other names."""
    page = pathlib.Path(path)
    page.write_text(put(page.read_text(), "goals", "\n".join(table(["row", "goal", "reached", ""], [])) + "\n"))


def write_page(path, sections):
    """Puts the sections in their places; goals of rows that did not run stay as they were."""
    page = pathlib.Path(path).read_text()
    lines = goals_of(page)
    for section in sections:
        page = put(page, section.name, section.text())
        lines |= {goal.row: table([], [[goal.row, goal.wanted, goal.reached, goal.verdict()]])[2] for goal in section.goals}
    head = table(["row", "goal", "reached", ""], [])
    pathlib.Path(path).write_text(put(page, "goals", "\n".join([*head, *lines.values()]) + "\n"))
