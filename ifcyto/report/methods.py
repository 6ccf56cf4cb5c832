"""What was done, in words that can go into a paper, and whom to cite."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ifcyto.report.model import Citation
from ifcyto.report.sections import INTERVALS

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["CITATIONS", "methods_text"]

CITATIONS = (
    Citation(
        "Rosenberg et al., Scientific Reports 14, 9349 (2024): binucleated erythroblasts in MDS by imaging "
        "flow cytometry."
    ),
    Citation("Mann HB, Whitney DR, Annals of Mathematical Statistics 18, 50-60 (1947): the rank test."),
    Citation("Wilson EB, Journal of the American Statistical Association 22, 209-212 (1927): the interval."),
    Citation("Holm S, Scandinavian Journal of Statistics 6, 65-70 (1979): the correction of p values."),
)


def methods_text(results: Mapping[str, Any], provenance: Mapping[str, Any]) -> tuple[str, ...]:
    """Paragraphs on masks, counting and statistics, with the parameters of this run.

    Parameters
    ----------
    results : mapping
        Content of ``results.json``.
    provenance : mapping
        Record made by :func:`ifcyto.provenance.provenance`.

    Returns
    -------
    tuple of str
    """
    rule = results["rule"]
    found = _own_mask(rule) if rule["mask"] else _nuclear_rule(rule)
    mask = (
        f"Images were analysed with ifcyto {provenance['ifcyto']}. {found} Spot Count is the number of "
        f"4-connected components of that mask; objects with Spot Count {rule['spots']} are candidates, and "
        "BNEs by the plain rule."
    )
    found_by = (mask, *([_trained(results["training"])] if results["training"] else []))
    interval = INTERVALS[results["interval"]]
    counting = (
        "The frequency of BNEs is their number in percent of all objects of the same maturation stage in the "
        f"same sample, with {interval} 95 % confidence intervals. Objects without a stage are not counted."
    )
    if not results["tests"]:
        return (*found_by, counting)
    exact = all(test["exact"] for test in results["tests"])
    kind = "exact" if exact else "exact where the groups are small, otherwise by normal approximation"
    adjusted = " and adjusted by Holm's method" if results["correction"] == "holm" else ""
    tests = (
        f"Frequencies of the samples of {', '.join(results['cases'])} were compared with those of "
        f"{results['control']} by two-sided Mann-Whitney U tests; p values are {kind}{adjusted}. Samples "
        "without cells in a stage were left out of its tests."
    )
    return (*found_by, counting, tests)


def _own_mask(rule: Mapping[str, Any]) -> str:
    return (
        f"Nuclei were taken from the mask {rule['expression']}, a definition in the grammar of IDEAS as "
        "ifcyto computes it; most mask functions are approximations of IDEAS' own."
    )


def _nuclear_rule(rule: Mapping[str, Any]) -> str:
    um, um2 = "\N{MICRO SIGN}m", "\N{MICRO SIGN}m\N{SUPERSCRIPT TWO}"
    return (
        f"Nuclei were found in the {rule['channel']} image of each object (mask {rule['expression']}): the "
        "background stored by the instrument was subtracted, the image smoothed with a Gaussian (standard "
        f"deviation {rule['smoothing_um']:g} {um}), and pixels of the object kept that exceeded both "
        f"{rule['noise_sd']:g} standard deviations of the background and {100 * rule['fraction']:g} % of the "
        "brightest pixel. Two intensity peaks were taken for two nuclei when the highest path between them "
        f"fell to {rule['saddle_ratio']:g} of the lower peak or below. Pieces smaller than "
        f"{rule['min_area_um2']:g} {um2} or than {100 * rule['min_share']:g} % of the largest were dropped."
    )


def _trained(record: Mapping[str, Any]) -> str:
    """One sentence or two on the classifier; the section on its training has the details."""
    counts = ", ".join(f"{count:,} {name}" for name, count in record["n_truth"].items())
    names = {"lda": "linear discriminant analysis with shrinkage", "logistic": "logistic regression",
             "forest": "a random forest", "boosting": "gradient boosted trees"}  # fmt: skip
    accuracy = record["balanced_accuracy"]
    return (
        f"Candidates were classified by {names[record['method']]} of {len(record['chosen'])} features, "
        f"chosen by Fisher's ratio and cross-validation and trained on tagged objects ({counts}); the "
        f"balanced accuracy for objects that were held out is {accuracy['mean']:.3f} "
        f"(s.d. {accuracy['sd']:.3f}, {record['options']['folds']} folds)."
    )
