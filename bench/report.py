"""Tables on stdout, row by row as the figures come; and of a file of figures what docs/performance.md says of records."""

import json
import sys


class Table:
    def __init__(self, title, columns):
        self.widths = [max(7, len(column)) for column in columns]
        print(f"\n{title}")
        self.row(*columns)

    def row(self, *cells):
        print("  ".join(str(cell).rjust(width) for cell, width in zip(cells, self.widths)), flush=True)


def print_machine(about):
    print(f"{about['date']}  {about['cpu']}, {about['cores']} cores, Linux {about['kernel']}, {about['file_system']}")
    print(f"{about['charta']}; {about['nginx']}; {about['wrk']}; {about['pairs']} pairs of {about['seconds']} s")
    if about["busy_before"] > 0.05:
        print(f"warning: others use {percent(about['busy_before'])} of the cores; figures will be noisy", flush=True)


def whole(value):
    return f"{value:,.0f}"


def short(value):
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}"


def ratio(value):
    return "" if value is None else f"{value:.2f}" if value < 10 else f"{value:.1f}"


def spread(ratios):
    return f"{ratio(min(ratios))}-{ratio(max(ratios))}"


def percent(share):
    return f"{share:.0%}"


def records_section(figures):
    """What `records`, `imports` and `transactions` measured, as docs/performance.md has it."""
    results = figures["results"]
    parts = [
        (results.get("records"), searches_and_reads), (results.get("imports"), imports), (results.get("transactions"), transactions),
    ]
    return "\n\n".join(write(result) for result, write in parts if result)


def searches_and_reads(result):
    few, many = result["documents"]
    rows = [
        [each["what"], each["found"] or "", whole(each["few"]["per_second"]), whole(each["many"]["per_second"]), f"**{ratio(each['time_ratio'])}**",
         spread(each["ratios"]), f"{each['few']['p50_ms']:.2f}", f"{each['many']['p50_ms']:.2f}", short(each["few"]["cpu_us"]), short(each["many"]["cpu_us"])]
        for each in result["questions"]
    ]
    columns = ["what", "on the page", f"{few:,}: /s", f"{many:,}: /s", "time ratio", "of pairs", f"{few:,}: p50 ms", f"{many:,}: p50 ms",
               f"{few:,}: CPU µs", f"{many:,}: CPU µs"]
    beside = result["nginx"]
    return markdown(columns, rows) + (
        f"\n\nOne DocumentReference of {beside['size_bytes']:,} bytes as FHIR JSON, 32 clients: {whole(beside['charta']['per_second'])}/s, and "
        f"{whole(beside['nginx']['per_second'])}/s from nginx with the same bytes in a file: **{ratio(beside['ratio'])}** (of pairs {spread(beside['ratios'])})."
    )


def imports(result):
    columns = ["resources", "MB", "seconds", "resources/s", "peak MiB", "CPU s", "catalog MB"]
    return markdown(columns, [
        [whole(each["resources"]), whole(each["size_bytes"] / 1e6), short(each["seconds"]), whole(each["per_second"]), short(each["peak_kib"] / 1024),
         short(each["cpu_seconds"]), whole(each["catalog_bytes"] / 1e6)]
        for each in result
    ])


def transactions(result):
    columns = ["entries", "MB each", "median s", "longest s", "resources/s", "peak MiB"]
    return markdown(columns, [
        [whole(each["entries"]), short(each["size_bytes"] / 1e6), f"{each['median_seconds']:.3f}", f"{each['seconds_max']:.3f}", whole(each["per_second"]),
         short(each["peak_kib"] / 1024)]
        for each in result
    ])


def markdown(columns, rows):
    lines = [columns, ["---"] * len(columns), *rows]
    return "\n".join("| " + " | ".join(str(cell) for cell in line) + " |" for line in lines)


if __name__ == "__main__":
    print(records_section(json.load(open(sys.argv[1]))))
