"""Interventions: a site and what happens there. A value; `circuitboard.interventions` gives it its meaning."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal, get_args

from circuitboard.address.numbers import plain, real, truth, whole
from circuitboard.address.positions import Positions, describe, positions_of
from circuitboard.address.values import Values
from circuitboard.boundary import public
from circuitboard.errors import InterventionError
from circuitboard.words import Meant, Told

if TYPE_CHECKING:
    from circuitboard.address.edge import Edge
    from circuitboard.address.run import SourceRun
    from circuitboard.address.site import Site

How = Literal["zero", "mean", "resample", "patch", "scale", "add", "set", "freeze"]
Per = Literal["position", "label"]
"""How an activation of one prompt is matched with those of others."""

_TAKES: dict[How, frozenset[str]] = {
    "zero": frozenset(),
    "mean": frozenset({"per"}),
    "resample": frozenset({"per", "seed"}),
    "patch": frozenset({"run", "per", "from_"}),
    "scale": frozenset({"strength"}),
    "add": frozenset({"strength", "values"}),
    "set": frozenset({"values"}),
    "freeze": frozenset(),
}
HOWS: tuple[How, ...] = get_args(How)
_RENORMALIZED: frozenset[How] = frozenset({"zero", "scale", "set"})


@public
@dataclass(frozen=True)
class Intervention:
    """One edit of a forward pass.

    Parameters
    ----------
    site
        The component, or the edge between two, and the positions.
    how
        "zero"; "mean" (over the reference prompts); "resample" (from another reference prompt); "patch" (from the
        source run, or from `run`); "scale"; "add" (a vector); "set"; "freeze" (at the base run's own value).
    strength
        The factor of "scale", or of the vector of "add"; None otherwise.
    values
        What "add" adds and "set" sets; None otherwise.
    seed
        Which draw of "resample"; None otherwise.
    per
        For "mean" and "resample", which activations of other prompts stand for that of this one: those at the same
        position in prompts of the same length, or those at the same label. For "patch", "label" takes them from the
        same label of the run, None from the same position. None otherwise.
    run
        Where "patch" takes the activation from; None for the source run.
    renormalize
        For "zero", "scale" and "set" of some entries of a pattern's rows: the other entries of each row are multiplied
        by one factor, so that the row sums to what it summed to before.
    from_
        For "patch", the positions of the run that it takes from, one for each position of the site, in order; None for
        the same ones.
    """

    site: Site | Edge
    how: How
    strength: float | None = None
    values: Values | None = None
    seed: int | None = None
    per: Per | None = None
    run: SourceRun | None = None
    renormalize: bool = False
    from_: Positions = None

    def __post_init__(self) -> None:
        for name in ("how", "per"):
            given = getattr(self, name)
            if given is not None and type(given) is not str:
                object.__setattr__(self, name, plain(given))
        if self.how not in HOWS:
            raise InterventionError(
                f"There is no intervention {self.how!r}; expected one of {', '.join(HOWS)}.",
                code="unknown_intervention",
            )
        takes = _TAKES[self.how]
        if self.how == "patch" and self.per == "position":
            object.__setattr__(self, "per", None)
        for name in ("strength", "values", "seed", "per", "run", "from_"):
            value = getattr(self, name)
            if value is not None and name not in takes:
                raise InterventionError(
                    f"{self.how} takes no {name}, but {value!r:.60} was given.", code="unknown_intervention"
                )
        if "strength" in takes:
            object.__setattr__(self, "strength", _strength(self.strength, self.how, self.site))
        if "values" in takes and not isinstance(self.values, Values):
            raise InterventionError(f"{self.how} {self.site} needs values.", code="bad_values")
        if "per" in takes and self.per not in get_args(Per) and not (self.how == "patch" and self.per is None):
            raise InterventionError(
                f"Prompts are matched per 'position' or per 'label', not {self.per!r}.", code="unknown_intervention"
            )
        self._check_options()

    def _check_options(self) -> None:
        if "seed" in _TAKES[self.how]:
            object.__setattr__(self, "seed", _seed(self.seed))
        # A run is of a higher room, so it is known by what it has.
        if self.run is not None and "interventions" not in getattr(type(self.run), "__dataclass_fields__", ()):
            raise InterventionError(
                f"{self.site} cannot be patched from {self.run!r:.60}, which is no run. Write .patch(cb.Run(prompts)) or .patch(board.as_run()); "
                "for another position of the source run, .patch(from_=-1).",
                code="unknown_intervention",
                where=str(self.site),
            )
        if self.from_ is not None:
            object.__setattr__(self, "from_", positions_of(self.from_))
            self._check_from()
        if self.renormalize is not False:
            self._check_renormalize()

    def _check_from(self) -> None:
        if self.per == "label":
            raise InterventionError(
                f"{self.site} is patched either per='label', from the same labels, or from_=…, from positions of your choice; give one of them.",
                code="unknown_intervention",
                where=str(self.site),
            )
        if self.site.kind == "head.pattern":
            raise InterventionError(
                f"{self.site} cannot be patched with from_=…: a pattern has positions that attend and positions attended to. "
                "Patch entries that have labels: .pattern.at('END', 'S2').patch(per='label').",
                code="pattern_from",
                where=str(self.site),
            )

    def _check_renormalize(self) -> None:
        renormalize = truth(self.renormalize)
        if renormalize is None:
            raise InterventionError(
                f"renormalize is True or False, not {self.renormalize!r:.60}.", code="unknown_intervention"
            )
        object.__setattr__(self, "renormalize", renormalize)
        if not renormalize:
            return
        if self.how not in _RENORMALIZED or self.site.sources is None:
            raise InterventionError(
                f"{self.how} {self.site} cannot renormalize rows: that is for zero, scale and set of some entries of an attention pattern, as in cb.head(9, 6).pattern.at(dest, src).zero(renormalize=True).",
                code="cannot_renormalize",
                where=str(self.site),
            )

    def __str__(self) -> str:
        more = ""
        if self.how == "scale":
            more = f" ×{self.strength:g}"
        elif self.how == "add":
            more = f" + {'' if self.strength == 1 else f'{self.strength:g} · '}{self.values}"
        elif self.how == "set":
            more = f" = {self.values}"
        elif self.how == "resample" and self.seed:
            more = f" (seed {self.seed})"
        elif self.run is not None:
            more = f" from {self.run}"
        more += "" if self.from_ is None else f"{'' if self.run else ' from'} @ {describe(self.from_)}"
        label = " per label" if self.per == "label" else ""
        rows = ", rows renormalized" if self.renormalize else ""
        return f"{self.how} {self.site}{more}{label}{rows}"


def _strength(given: Any, how: How, site: object) -> float:
    strength = real(given)
    if strength is None:
        verb = "Scale" if how == "scale" else "Add to"
        raise InterventionError(f"{verb} {site} by what? Expected a number, found {given!r:.60}.", code="bad_strength")
    if not math.isfinite(strength):
        raise InterventionError(
            f"A strength of {strength} at {site} would fill the run with non-finite numbers; give a finite factor.",
            code="non_finite_value",
            where=str(site),
        )
    return strength


def _seed(given: object) -> int:
    seed = whole(given)
    if seed is None or seed < 0:
        raise InterventionError(f"A seed is a whole number from 0 on, not {given!r:.60}.", code="unknown_intervention")
    return seed


class Editable(Told):
    """What can be done to a site or an edge."""

    _told_as: ClassVar[Meant] = "Site"

    def _edited(
        self, how: How, strength: float | None = None, values: Values | None = None, **options: Any
    ) -> Intervention:
        # Sites and edges are all that inherits this.
        return Intervention(self, how, strength, values, **options)  # type: ignore[arg-type]

    def zero(self, *, renormalize: bool = False) -> Intervention:
        """Set the activation to 0 (zero ablation).

        Parameters
        ----------
        renormalize
            For some entries of a pattern's rows, `.pattern.at(dest, src)`: multiply the other entries of each row by
            one factor, so that the row sums to what it summed to before. Where the others are all 0, they stay so.
        """
        return self._edited("zero", renormalize=renormalize)

    def mean(self, *, per: Per = "position") -> Intervention:
        """Set the activation to its mean over the board's reference prompts (mean ablation).

        Parameters
        ----------
        per
            "position": the mean at the same position of the reference prompts that have as many tokens. "label": the
            mean at the same label of all reference prompts; the edit must then act at labels.
        """
        return self._edited("mean", per=per)

    def resample(self, seed: int = 0, *, per: Per = "position") -> Intervention:
        """Take the activation from another reference prompt, drawn for each prompt (resample ablation).

        Parameters
        ----------
        seed
            Which draw. All components resampled with one seed take theirs from the same prompts.
        per
            As for `mean`.
        """
        return self._edited("resample", seed=seed, per=per)

    def patch(self, run: SourceRun | None = None, *, per: Per = "position", from_: object = None) -> Intervention:
        """Take the activation from another run (activation patching).

        Parameters
        ----------
        run
            Any `cb.Run`. None for the source run: the corrupted run if the base is clean, and the other way round.
        per
            "position": from the same position of the run, whose prompts must be as long. "label": from the same label,
            for prompts of any length. The edit then acts at its positions that have a label, all labels by default, and
            leaves the others as they are, which its receipt says; one of none is refused.
        from_
            The positions of the run to take from, as `.at()` takes them: as many as the site has, in the same order.
            `.at(-1).patch(run, from_=-1)` puts the run's last position in the place of this one's.
        """
        return self._edited("patch", run=run, per=per, from_=positions_of(from_))

    def scale(self, factor: float, *, renormalize: bool = False) -> Intervention:
        """Multiply the activation by `factor` (1 changes nothing, 0 is zero ablation); `renormalize` as for `zero`."""
        return self._edited("scale", factor, renormalize=renormalize)

    def add(self, vector: Any, scale: float = 1.0) -> Intervention:
        """Add `scale` · `vector` to the activation (steering).

        Parameters
        ----------
        vector
            Numbers that broadcast to [batch, pos, d]: usually [d], or a single number for a neuron.
        scale
            What it is multiplied by.
        """
        return self._edited("add", scale, Values.of(vector, f"Adding to {self}"))

    def set(self, values: Any, *, renormalize: bool = False) -> Intervention:
        """Set the activation to `values`: numbers that broadcast to [batch, pos, d], [batch, dest, src] for a pattern.

        `renormalize` as for `zero`.
        """
        return self._edited("set", values=Values.of(values, f"Setting {self}"), renormalize=renormalize)

    def freeze(self) -> Intervention:
        """Hold the activation at its value in the unedited base run, whatever other edits do before it.

        With everything between an edit and the output frozen, what is left is the edit's direct effect.
        """
        return self._edited("freeze")
