"""The whole report of a study: summary, key numbers, sections, provenance."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ifcyto.report import sections as parts
from ifcyto.report.comparison import errors_section, methods_compared_section, single_samples_section
from ifcyto.report.files import FOLDER, named
from ifcyto.report.heat_maps import heat_maps_section
from ifcyto.report.methods import citations, methods_text
from ifcyto.report.miflowcyt import miflowcyt_table
from ifcyto.report.model import Provenance, Report, Section
from ifcyto.report.network import network_section
from ifcyto.report.overview import limits_section, losses_section, question_section, samples_section
from ifcyto.report.summary import key_numbers, summary
from ifcyto.report.training import training_section

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ifcyto.report.model import FigureRef

__all__ = ["FILES", "build_report"]

FILES = (
    ("classifications.csv", "every object: stage, Spot Count, what each method called it"),
    ("frequencies.csv", "BNEs in percent, per sample, stage and method"),
    ("tests.csv", "Mann-Whitney tests of the groups"),
    ("overlap.csv", "cells that manual tags, feature-based classifier and network call a BNE"),
    ("spot_overlap.csv", "cells that manual tags and plain rule call a BNE"),
    ("agreement.csv", "precision, recall and F1 of each method"),
    ("confusion.csv", "what each method called the objects of each class"),
    ("group_tests.csv", "Kruskal-Wallis tests of all groups, Dunn's tests of every pair"),
    ("flags.csv", "every sample against the range of the controls"),
    ("precision.csv", "what the cells of each sample can show, and how many more are needed"),
    ("errors.csv", "true and false positives of each method in each sample"),
    ("kappa.csv", "agreement of every two raters on single cells"),
    ("bland_altman.csv", "differences of the frequencies by every two methods"),
    ("upset.csv", "cells by exactly which methods call them a BNE"),
    ("corrected.csv", "frequencies before and after the observer's check"),
    ("corrected_tests.csv", "the tests on the checked frequencies"),
    ("results.json", "all of the above but the single objects, and the settings"),
    ("provenance.json", "versions, settings and SHA-256 of every input"),
)
"""Files beside the report and what they hold."""


OWN = (FOLDER, "every table of this page that none of these files holds, and the key numbers at its top")
MODEL = ("models/fbml/training.json", "the training of the feature-based classifier; beside it the model")
NETWORK = (
    ("models/cnn/training.json", "the training of the network; beside it the model"),
    ("models/cnn/history.csv", "loss and accuracy of the network over the epochs"),
)


def build_report(
    results: Mapping[str, Any],
    figures: Mapping[str, Sequence[FigureRef]],
    provenance: Mapping[str, Any],
    *,
    quality: Sequence[Mapping[str, Any]] = (),
    losses: Sequence[Mapping[str, Any]] = (),
    areas: Sequence[Mapping[str, Any]] = (),
    machine: Mapping[str, Any] | None = None,
    cells: Sequence[Mapping[str, Any]] = (),
) -> Report:
    """Arrange results and figures for a reader.

    Parameters
    ----------
    results : mapping
        Content of ``results.json`` (``data_schemas/results.md``).
    figures : mapping of str to sequence of FigureRef
        By section: ``frequencies``, ``single-samples``, ``spots``, ``training``, ``network``,
        ``heat-maps``, ``methods-compared``, ``agreement``, ``overlap``, ``errors``.
    provenance : mapping
        Record made by :func:`ifcyto.provenance.provenance`.
    quality, losses : sequence of mapping
        What is known of the samples' images, and the objects by stage and class; may be empty.
    areas : sequence of mapping
        Areas under the curves of the methods' scores; may be empty.
    machine : mapping, optional
        ``device`` and ``seconds`` of the training of the network.
    cells : sequence of mapping
        Cells of the heat maps; see :func:`ifcyto.report.heat_maps.heat_maps_section`.

    Returns
    -------
    Report
        Every table of it names the file that holds its numbers.
    """

    def drawn(section: str) -> tuple[FigureRef, ...]:
        return tuple(figures.get(section, ()))

    training, network = results["training"], results.get("network")
    ranking, history = "models/fbml/ranking.csv", "models/cnn/history.csv"
    learned = None if network is None else {**network, **(machine or {})}
    views = 1 if network is None else network["options"].get("views", 1)
    body = [
        question_section(results),
        samples_section(results, quality),
        losses_section(results, losses),
        parts.spots_section(results, drawn("spots")),
        parts.methods_section(results),
        None if training is None else training_section(training, drawn("training"), ranking_file=ranking),
        None if learned is None else network_section(learned, drawn("network"), history_file=history),
        heat_maps_section(cells, drawn("heat-maps"), views=views),
        parts.frequencies_section(results, drawn("frequencies")),
        parts.tests_section(results),
        single_samples_section(results, drawn("single-samples")),
        methods_compared_section(results, drawn("methods-compared"), areas),
        parts.agreement_section(results, drawn("agreement")),
        parts.overlap_section(results, drawn("overlap")),
        errors_section(results, drawn("errors")),
        limits_section(results),
        Section("miflowcyt", "MIFlowCyt", tables=(miflowcyt_table(results, provenance, quality),)),
    ]
    report = Report(
        title=results["title"],
        subtitle="Binucleated erythroblasts (BNE) by imaging flow cytometry",
        summary=summary(results),
        key_numbers=key_numbers(results),
        sections=tuple(section for section in body if section is not None),
        warnings=tuple(results["notes"]),
        methods_text=methods_text(results, provenance, explained=bool(cells)),
        cite=citations(results, explained=bool(cells)),
        provenance=_provenance(results, provenance),
        files=_files(results),
    )
    return named(report)


def _files(results: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    there = [(name, what) for name, what in FILES if not name.endswith(".csv") or _has(results, name)]
    models = {"training": (MODEL,), "network": NETWORK}
    trained = [file for name, files in models.items() if results.get(name) is not None for file in files]
    return (*there, OWN, *trained)


def _has(results: Mapping[str, Any], file: str) -> bool:
    return file == "classifications.csv" or file.removesuffix(".csv") in results


def _provenance(results: Mapping[str, Any], provenance: Mapping[str, Any]) -> Provenance:
    versions = {"ifcyto": provenance["ifcyto"], "Python": provenance["python"], **provenance["dependencies"]}
    return Provenance(
        generated=provenance["time"],
        settings=(
            ("seed", str(results["seed"])),
            ("platform", provenance["platform"]),
            *_run_facts(provenance.get("run") or {}),
        ),
        versions=tuple((name, str(version)) for name, version in versions.items()),
        inputs=tuple((source["name"], source["sha256"]) for source in provenance["sources"]),
    )


def _run_facts(run: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    """Machine class, memory and the seconds of each kind of step, as far as they are known."""
    facts = []
    machine = run.get("machine")
    if machine:
        text = machine if isinstance(machine, str) else ", ".join(f"{k}: {v}" for k, v in machine.items())
        facts.append(("machine", text))
    if run.get("peak_memory_mb") is not None:
        facts.append(("most memory held", f"{run['peak_memory_mb']:,.0f} MB"))
    facts += [(f"time: {step}", f"{seconds:,.1f} s") for step, seconds in run.get("seconds", {}).items()]
    return tuple(facts)
