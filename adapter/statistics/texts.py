"""What people read of a report beside its labels: names of its columns, and of what is hidden."""

from typing import Final

_OF: Final = {"female": "Kvinnor", "male": "Män", "total": "Totalt"}
_WHAT: Final = {"part": "begärda", "whole": "alla", "percent": "%"}

COLUMNS: Final = {
    **_OF,
    **{f"{of}_{what}": f"{_OF[of]}, {_WHAT[what]}" for of in _OF for what in _WHAT},
    "before": "Perioden före",
    "difference": "Skillnad",
    "change": "Ändring, %",
    "count": "Antal",
    "median_hours": "Median, timmar",
    "p90_hours": "90 % inom, timmar",
    "fragor": "Frågor",
    "reminders": "Påminnelser",
    "per_100": "Påminnelser per 100 frågor",
    "delivered": "Levererade",
    "first_time": "Vid första försöket",
    "retried": "Flera försök",
    "waiting": "Väntar",
    "lost": "Kom inte fram",
    "no_ehr": "Ingen att berätta för",
    "did_not_arrive": "Kom inte fram",
}
"""Columns of every report, as people read them."""

MONTH: Final = "Månad"
GROUP: Final = "Grupp"
PERIOD: Final = "Hela perioden"


def too_few(cutoff: int) -> str:
    """What stands where a figure is too small to be shown."""
    return f"färre än {cutoff}"
