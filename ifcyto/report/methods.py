"""What was done, in words that can go into a paper, and whom to cite."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ifcyto.report.model import Citation
from ifcyto.report.network_methods import network_citations, network_methods
from ifcyto.report.sections import INTERVALS

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["citations", "methods_text"]

ROSENBERG = Citation(
    "Rosenberg et al., Scientific Reports 14, 9349 (2024): binucleated erythroblasts in MDS by imaging flow "
    "cytometry."
)
_WORKS = {
    "mann-whitney": Citation(
        "Mann HB, Whitney DR, Annals of Mathematical Statistics 18, 50-60 (1947): the rank test.",
        "10.1214/aoms/1177730491",
    ),
    "wilson": Citation(
        "Wilson EB, Journal of the American Statistical Association 22, 209-212 (1927): the interval.",
        "10.1080/01621459.1927.10502953",
    ),
    "clopper-pearson": Citation(
        "Clopper CJ, Pearson ES, Biometrika 26, 404-413 (1934): the interval.", "10.1093/biomet/26.4.404"
    ),
    "holm": Citation(
        "Holm S, Scandinavian Journal of Statistics 6, 65-70 (1979): the correction of p values."
    ),
    "bh": Citation(
        "Benjamini Y, Hochberg Y, Journal of the Royal Statistical Society B 57, 289-300 (1995): the "
        "correction of p values.",
        "10.1111/j.2517-6161.1995.tb02031.x",
    ),
    "shift": Citation(
        "Hodges JL, Lehmann EL, Annals of Mathematical Statistics 34, 598-611 (1963): the shift.",
        "10.1214/aoms/1177704172",
    ),
    "kruskal": Citation(
        "Kruskal WH, Wallis WA, Journal of the American Statistical Association 47, 583-621 (1952): the test "
        "of several groups.",
        "10.1080/01621459.1952.10483441",
    ),
    "dunn": Citation(
        "Dunn OJ, Technometrics 6, 241-252 (1964): the test of every pair of groups.",
        "10.1080/00401706.1964.10490181",
    ),
    "kappa": Citation(
        "Cohen J, Educational and Psychological Measurement 20, 37-46 (1960): kappa.",
        "10.1177/001316446002000104",
    ),
    "bland-altman": Citation(
        "Bland JM, Altman DG, Lancet 327, 307-310 (1986): the limits of agreement.",
        "10.1016/S0140-6736(86)90837-8",
    ),
    "miflowcyt": Citation(
        "Lee JA et al., Cytometry Part A 73, 926-930 (2008): what to report (MIFlowCyt).",
        "10.1002/cyto.a.20623",
    ),
}


def citations(results: Mapping[str, Any], *, explained: bool = False) -> tuple[Citation, ...]:
    """Works to cite for what this run did; `explained`: heat maps of a network too."""
    used = {
        "mann-whitney": results["tests"],
        results["interval"]: results["frequencies"],
        results["correction"]: results["tests"],
        "shift": results["tests"] and "shift" in results["tests"][0],
        "kruskal": results.get("group_tests"),
        "dunn": results.get("group_tests"),
        "kappa": results.get("kappa"),
        "bland-altman": results.get("bland_altman"),
        "miflowcyt": True,
    }
    network = network_citations(results.get("network"), explained=explained)
    return (ROSENBERG, *network, *(work for name, work in _WORKS.items() if used.get(name)))


def methods_text(
    results: Mapping[str, Any], provenance: Mapping[str, Any], *, explained: bool = False
) -> tuple[str, ...]:
    """Paragraphs on masks, counting and statistics, with the parameters of this run.

    Parameters
    ----------
    results : mapping
        Content of ``results.json``.
    provenance : mapping
        Record made by :func:`ifcyto.provenance.provenance`.
    explained : bool
        Whether there are heat maps of a network.

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
    network = results.get("network")
    found_by = (
        mask,
        *([_trained(results["training"])] if results["training"] else []),
        *([network_methods(network, explained=explained)] if network else []),
    )
    interval = INTERVALS[results["interval"]]
    counting = (
        "The frequency of BNEs is their number in percent of all objects of the same maturation stage in the "
        f"same sample, with {interval} 95 % confidence intervals. Objects without a stage are not counted."
    )
    if not results["tests"]:
        return (*found_by, counting, *_agreement(results))
    exact = all(test["exact"] for test in results["tests"])
    kind = "exact" if exact else "exact where the groups are small, otherwise by normal approximation"
    adjusted = {
        "holm": " and adjusted by Holm's method",
        "bh": " and adjusted by the method of Benjamini and Hochberg",
    }.get(results["correction"], "")
    tests = (
        f"Frequencies of the samples of {', '.join(results['cases'])} were compared with those of "
        f"{results['control']} by two-sided Mann-Whitney U tests; p values are {kind}{adjusted}. Samples "
        "without cells in a stage were left out of its tests."
    )
    return (*found_by, counting, tests + _effects(results), *_agreement(results))


def _effects(results: Mapping[str, Any]) -> str:
    text = ""
    if "shift" in results["tests"][0]:
        text += " Differences are given as Hodges-Lehmann shifts with 95 % confidence intervals."
    if results.get("group_tests"):
        text += (
            " All groups were compared by the Kruskal-Wallis test, and every pair of them by Dunn's test, "
            "both corrected for ties."
        )
    return text


def _agreement(results: Mapping[str, Any]) -> tuple[str, ...]:
    said = []
    if results["agreement"]:
        said.append(
            "Precision, recall and F1 of each method were computed for the class BNE against all others."
        )
    if results.get("kappa"):
        said.append(
            "Agreement on single cells is given as Cohen's kappa (Fleiss' for more than two raters), Jaccard "
            "index and McNemar's exact test."
        )
    if results.get("bland_altman"):
        said.append(
            "Frequencies by two methods were compared by bias and limits of agreement (Bland-Altman)."
        )
    return (" ".join(said),) if said else ()


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
