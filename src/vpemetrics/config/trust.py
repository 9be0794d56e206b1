"""The trust in a configuration that was found: what of the user's it may send, and where to.

Nobody is asked about a file that a person named; one that only lies here may come with a clone.
What was allowed is kept for each file, in the user's folder of configurations.
"""

import json
import os
import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields, is_dataclass
from datetime import datetime
from pathlib import Path
from shlex import quote
from typing import Any, Final

from vpemetrics.addresses import host_of
from vpemetrics.collectors.base import Vendor
from vpemetrics.config.secrets import is_reference, is_secret_key
from vpemetrics.errors import FixConfiguration
from vpemetrics.files import PRIVATE, make_folder, write
from vpemetrics.fingerprint import fingerprint
from vpemetrics.folders import cache_home, config_home, data_home, state_home
from vpemetrics.hidden_characters import reveal_line
from vpemetrics.login import login_name
from vpemetrics.records import AuditEntry
from vpemetrics.window import format_instant, parse_instant

VARIABLE: Final = "VPEMETRICS_TRUST"
FORMAT: Final = "vpemetrics-trust/1"
RECORD: Final = "trust.json"
ALLOWED: Final = "trust"
REVOKED: Final = "trust revoke"
"""The actions of the audit log."""

_REFERENCE: Final = re.compile(r"env:[A-Za-z_]\w*|file:.+", re.ASCII | re.DOTALL)


@dataclass(frozen=True, kw_only=True)
class Disclosure:
    """Something of the user's that a configuration hands on.

    `what` is a reference to a secret, or the setting that says where data goes; `to` a host, or
    a path. `setting` is where it stands. One that `is_usual` needs no trust: a token in the
    variable that its vendor documents, and that vendor's own host.
    """

    setting: str = field(compare=False)
    what: str
    to: str
    is_usual: bool = field(default=False, compare=False)

    def __str__(self) -> str:
        """The thing that is sent and where to, for a person."""
        return f"{'data' if self.what == self.setting else self.what} to {self.to}"


def secrets_of(options: Any) -> tuple[str, ...]:
    """The references to secrets in a source's options; no others of the user's are its business."""
    return tuple(dict.fromkeys(text for key, text in _texts(options) if _is_secret(key, text)))


def source_disclosures(name: str, options: Any) -> tuple[Disclosure, ...]:
    """The secrets in a source's options, each with every address in them.

    `addresses` of the options says more exactly where they go, if it is there.
    """
    given = getattr(options, "addresses", None) or _addresses(options)
    places = [host_of(address) or address for address in given]
    if not places:  # any setting may then say where it is
        places = [f"(no setting says where, {fingerprint(type(options).__module__, options)})"]
    vendor: Vendor | None = getattr(options, "vendor", None)
    return tuple(
        Disclosure(
            setting=f"sources.{name}",
            what=secret,
            to=place,
            is_usual=vendor is not None and secret in vendor.tokens and place in vendor.hosts,
        )
        for secret in secrets_of(options)
        for place in dict.fromkeys(places)
    )


def host_disclosure(setting: str, what: str, address: str) -> Disclosure:
    """The sending of a secret to an address."""
    return Disclosure(setting=setting, what=what, to=host_of(address) or address)


def path_disclosure(
    setting: str, path: Path, folder: Path, environ: Mapping[str, str]
) -> tuple[Disclosure, ...]:
    """The path that a setting writes to; none if it is in a folder or the user's own for programs.

    What links lead to is what counts.
    """
    place = Path(os.path.realpath(path))
    homes = (data_home(environ), state_home(environ), cache_home(environ))
    own = [folder, *(home / "vpemetrics" for home in homes if home)]
    if any(place.is_relative_to(os.path.realpath(parent)) for parent in own):
        return ()
    return (Disclosure(setting=setting, what=setting, to=str(place)),)


def untrusted(
    file: Path, disclosures: Iterable[Disclosure], environ: Mapping[str, str]
) -> list[Disclosure]:
    """Those of a file's disclosures that nobody has allowed."""
    wanted = _unusual(disclosures)
    if not wanted:
        return []
    places = {place.strip() for place in environ.get(VARIABLE, "").split(",")}
    allowed = _allowed(_record(environ), file)
    return [one for one in wanted if one.to not in places and (one.what, one.to) not in allowed]


def allow(
    file: Path, disclosures: Iterable[Disclosure], environ: Mapping[str, str], now: datetime
) -> None:
    """Keep that a person allowed the disclosures of a file, beside what was allowed before."""
    record = _record(environ)
    known = _allowed(record, file)
    new = [one for one in _unusual(disclosures) if (one.what, one.to) not in known]
    since = format_instant(now)
    entries = [{"what": one.what, "to": one.to, "since": since} for one in new]
    own = {_key(file): [*record.files.get(_key(file), []), *entries]}
    if new:
        decided = [*record.decisions, *_decided(ALLOWED, file, new, now)]
        _write({**record.files, **own}, decided, environ)


def revoke(file: Path, environ: Mapping[str, str], now: datetime) -> list[Disclosure]:
    """Take back all that was allowed to a file, and return it."""
    record = _record(environ)
    pairs = sorted(_allowed(record, file))
    gone = [
        Disclosure(setting="" if is_reference(what) else what, what=what, to=to)
        for what, to in pairs
    ]
    left = {key: own for key, own in record.files.items() if key != _key(file)}
    if gone:
        _write(left, [*record.decisions, *_decided(REVOKED, file, gone, now)], environ)
    return gone


def decisions(file: Path, environ: Mapping[str, str]) -> list[AuditEntry]:
    """The decisions on a file, allowed and taken back, as the audit log has them."""
    entries = (entry for entry in _record(environ).decisions if entry.get("file") == _key(file))
    return list(filter(None, map(_audit_entry, entries)))


def _audit_entry(decision: Mapping[str, Any]) -> AuditEntry | None:
    """One decision of the record; None where it is not as it was written."""
    try:
        return AuditEntry(
            when=parse_instant(decision["when"]),
            action=decision["action"],
            subject=f"{decision['what']} to {decision['to']}",
            what=f"for {decision['file']}",
            who=decision["who"],
        )
    except (KeyError, TypeError, ValueError):
        return None


def _unusual(disclosures: Iterable[Disclosure]) -> list[Disclosure]:
    return [one for one in dict.fromkeys(disclosures) if not one.is_usual]


def describe(file: Path, disclosures: Sequence[Disclosure]) -> str:
    """The disclosures of a file for a person, a line each; a secret's value is in none."""
    lines = [f"  {one.setting}: {one}" for one in disclosures]
    found = f"{file} was found here and not named by you, and would send"
    return "\n".join(map(reveal_line, [found, *lines]))


def refusal(
    file: Path, lacking: Sequence[Disclosure], program: str = "vpemetrics"
) -> FixConfiguration:
    """The error of what nobody has allowed, with the command that allows it."""
    places = ",".join(dict.fromkeys(one.to for one in lacking))
    return FixConfiguration(
        f"{describe(file, lacking)}\n"
        "Nothing was sent, as nobody has allowed it so far.\n"
        f"If it is as you want it: {program} trust --config {quote(str(_absolute(file)))}\n"
        f"In CI: {VARIABLE}={quote(places)}"
    )


def _texts(value: object, key: str = "") -> Iterator[tuple[str, str]]:
    """Every text in options with the name of what it stands at."""
    match value:
        case str():
            yield key, value
        case Mapping():
            for name, inner in value.items():
                yield from _texts(inner, str(name))
        case list() | tuple() | set() | frozenset():
            for inner in value:
                yield from _texts(inner, key)
        case _ if is_dataclass(value):
            for part in fields(value):
                yield from _texts(getattr(value, part.name), part.name)


def _is_secret(key: str, text: str) -> bool:
    return is_reference(text) and (is_secret_key(key) or _REFERENCE.fullmatch(text) is not None)


def _addresses(options: Any) -> list[str]:
    return [text for _, text in _texts(options) if "://" in text]


def _record_path(environ: Mapping[str, str]) -> Path | None:
    home = config_home(environ)
    return home / "vpemetrics" / RECORD if home else None


@dataclass(frozen=True, kw_only=True)
class _Record:
    """Everything that is allowed to each file now, and every decision that led there."""

    files: Mapping[str, Any] = field(default_factory=dict)
    decisions: Sequence[Mapping[str, Any]] = ()


def _record(environ: Mapping[str, str]) -> _Record:
    """The record of trust; an empty one before the first."""
    path = _record_path(environ)
    if path is None:
        return _Record()
    try:
        said = json.loads(path.read_bytes())
    except FileNotFoundError:
        return _Record()
    except (ValueError, RecursionError):
        said = None
    if not isinstance(said, dict) or said.get("format") != FORMAT:
        raise FixConfiguration(f"{path} is no record of trust; mend or remove it")
    files, decided = said.get("files"), said.get("decisions")
    return _Record(
        files=files if isinstance(files, dict) else {},
        decisions=[one for one in decided if isinstance(one, dict)]
        if isinstance(decided, list)
        else (),
    )


def _decided(
    action: str, file: Path, disclosures: Iterable[Disclosure], now: datetime
) -> Iterator[Mapping[str, str]]:
    """The decision on each disclosure of a file, as the record has it."""
    same = {"when": format_instant(now), "who": login_name(), "file": _key(file)}
    for one in disclosures:
        yield {"action": action, "what": one.what, "to": one.to, **same}


def _write(
    files: Mapping[str, Any], decided: Sequence[Mapping[str, Any]], environ: Mapping[str, str]
) -> None:
    """Write the record anew, at once for everybody."""
    path = _record_path(environ)
    if path is None:
        raise FixConfiguration(
            f"no home folder is known to keep trust in; name the hosts in {VARIABLE} instead"
        )
    make_folder(path.parent)
    text = json.dumps({"format": FORMAT, "files": files, "decisions": decided}, indent=2)
    write(path, text.encode() + b"\n", PRIVATE)


def _allowed(record: _Record, file: Path) -> Collection[tuple[str, str]]:
    entries = record.files.get(_key(file))
    return {
        (str(entry.get("what")), str(entry.get("to")))
        for entry in (entries if isinstance(entries, list) else ())
        if isinstance(entry, dict)
    }


def _absolute(file: Path) -> Path:
    """The file under one name, whatever leads to its folder; a link in it is a file of its own."""
    return Path(os.path.realpath(file.parent)) / file.name


def _key(file: Path) -> str:
    return str(_absolute(file))
