"""Tables on stdout, row by row as the figures come."""


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
