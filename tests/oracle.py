"""Plain TransformerLens hooks, written by hand: what every other way of computing must equal.

Nothing of Circuitboard's own interventions is used here. Sites that are one hook point are written there. The others,
and edges, are done in another way than the product does them:

- resid_mid: the MLP reads w(mid) through `hook_resid_mid`, and `hook_resid_post` gets w(mid) − mid.
- head.result: TransformerLens's own `hook_result` where the model has it; else the output projection is called on z
  with all other heads set to 0.
- head.pattern: `hook_pattern`; where that is read-only, a first run shows pattern and values, and a second gets
  z + (w(pattern) − pattern) · v.
- edges: two runs show what the sender adds to the stream, one more what the receiver then hears.
"""

from __future__ import annotations

import copy
import random
import warnings
from collections.abc import Callable, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any

import torch

from circuitboard.address import KINDS, Edge

if TYPE_CHECKING:
    from transformer_lens.model_bridge import TransformerBridge

NAMES = {
    "embed": "hook_embed",
    "resid_pre": "blocks.{}.hook_resid_pre",
    "head.q": "blocks.{}.attn.hook_q",
    "head.k": "blocks.{}.attn.hook_k",
    "head.v": "blocks.{}.attn.hook_v",
    "head.pattern": "blocks.{}.attn.hook_pattern",
    "head": "blocks.{}.attn.hook_z",
    "head.result": "blocks.{}.attn.hook_result",
    "attn_out": "blocks.{}.hook_attn_out",
    "resid_mid": "blocks.{}.hook_resid_mid",
    "neuron": "blocks.{}.mlp.hook_post",
    "mlp_out": "blocks.{}.hook_mlp_out",
    "resid_post": "blocks.{}.hook_resid_post",
}
Hook = tuple[str, Callable[[torch.Tensor, Any], "torch.Tensor | None"]]


def hooked_logits(
    model: TransformerBridge,
    base: torch.Tensor,
    source: torch.Tensor | None,
    interventions: Sequence,
    real: torch.Tensor | None = None,
    *,
    reference: Sequence[torch.Tensor] | None = None,
    labels: dict | None = None,
    reference_labels: dict | None = None,
) -> torch.Tensor:
    """Logits [batch, pos, d_vocab] of `base` with the interventions carried out one after the other by hooks.

    With `real`, bool [batch, pos], prompts are padded on the left; positions count in each prompt's own tokens.
    `reference` holds the prompts that means and resamples come from, tokens [pos] each; default the base's own. Labels
    are label → position in each prompt.
    """
    if any(getattr(edit.site, "kind", "") == "head.result" for edit in interventions) and _shows_results(model):
        model = _with_results(model)
    with torch.no_grad(), warnings.catch_warnings():
        # TransformerLens warns of what is written to a read-only pattern; here that is known.
        warnings.filterwarnings("ignore", message=".*returned a modified tensor", category=UserWarning)
        oracle = _Oracle(model, base, source, real)
        oracle.borrow_from(reference, labels or {}, reference_labels)
        return oracle.logits(interventions)


def logit_diff(logits: torch.Tensor, answers: Sequence[int], wrong: Sequence[int]) -> torch.Tensor:
    """Logit difference of each prompt at its last position."""
    return torch.stack([row[-1, a] - row[-1, w] for row, a, w in zip(logits, answers, wrong, strict=True)])


def _shows_results(model: TransformerBridge) -> bool:
    """Whether TransformerLens computes head results for this model."""
    attentions = [getattr(block, "attn", None) for block in model.blocks]
    # Bloom's attention output hook does not fire then.
    able = all(getattr(attention, "supports_attn_result", False) for attention in attentions)
    return able and not type(attentions[0]).__name__.startswith("Bloom")


@cache
def _with_results(model: TransformerBridge) -> TransformerBridge:
    """A copy that computes them; the switch leaves hooks of TransformerLens's own behind."""
    copied = copy.deepcopy(model)
    copied.set_use_attn_result(True)
    return copied


class _Oracle:
    def __init__(self, model, base, source, real):
        self.model, self.base, self.source, self.real = model, base, source, real
        n, width = base.shape
        self.lengths = [width] * n if real is None else real.sum(-1).tolist()
        self.by_result_hook = bool(getattr(model.cfg, "use_attn_result", False))
        self.cache: dict[str, torch.Tensor] = {}
        self.early: set[Callable] = set()
        """Hooks on z that do what a read-only pattern should have done: nothing may come between."""

    def run(self, tokens, hooks: Sequence[Hook]) -> torch.Tensor:
        mask = {} if self.real is None else {"attention_mask": self.real.long()}
        return self.model.run_with_hooks(tokens, fwd_hooks=list(hooks), use_cache=False, **mask)

    def look(self, names: Sequence[str], hooks: Sequence[Hook], *, first: Sequence[str] = ()) -> dict:
        """Activations of a run with hooks: `names` after these hooks, `first` before them (under "first …")."""
        seen = {}

        def watch(key):
            def hook(activation, hook):
                seen[key] = activation.clone()

            return hook

        early = [hook for hook in hooks if hook[1] in self.early]
        later = [hook for hook in hooks if hook[1] not in self.early]
        before = [(name, watch(f"first {name}")) for name in first]
        self.run(self.base, [*early, *before, *later, *((name, watch(name)) for name in names)])
        return seen

    def logits(self, interventions) -> torch.Tensor:
        plain = [edit for edit in interventions if not isinstance(edit.site, Edge)]
        for edit in interventions:
            # Before any hook is in force.
            site = getattr(edit.site, "sender", edit.site)
            self.prepare(edit, NAMES[site.kind].format(site.layer), site)
        forced: list[Hook] = []
        receivers: dict[str, list] = {}
        for edit in interventions:
            if isinstance(edit.site, Edge):
                receivers.setdefault(edit.site.receiver.name, []).append(edit)
        order = sorted(receivers.values(), key=lambda edges: _moment(edges[0].site.receiver))
        for edges in order:
            hooks = self.hooks(plain, forced)
            message = sum(self.message(edge, plain, forced, hooks) for edge in edges)
            forced = [*forced, *self.received(edges[0].site.receiver, message, plain, forced)]
        return self.run(self.base, self.hooks(plain, forced))

    # What edits do, hook by hook.

    def hooks(self, plain, forced: Sequence[Hook], hearing: Sequence[Hook] = ()) -> list[Hook]:
        """Hooks in the order in which they act on one hook point: what edges brought, then the edits by kind."""
        hooks, by_hand = [*forced], set()
        for edit in sorted(plain, key=lambda edit: (edit.site.layer, KINDS.index(edit.site.kind))):
            site = edit.site
            name = NAMES[site.kind].format(site.layer)
            if site.kind == "head.pattern" and not self.pattern_is_live(site.layer):
                hooks += self.read_only_pattern(edit, name, hooks)
            elif site.kind == "head.result" and not self.by_result_hook:
                if site.layer not in by_hand:
                    hooks += self.results_by_hand(site.layer, plain)
                by_hand.add(site.layer)
            elif site.kind == "resid_mid":
                hooks += self.through_the_stream(lambda mid, edit=edit, name=name: self.edited(edit, name, mid), site)
            else:
                hooks.append((name, lambda found, hook, edit=edit, name=name: self.edited(edit, name, found)))
        return sorted([*hooks, *hearing], key=lambda hook: hook[1] not in self.early)

    def edited(self, edit, name, found):
        """An activation after an edit: [batch, pos, …], or [batch, head, dest, src] for patterns."""
        site, result = edit.site, found.clone()
        for prompt in range(len(found)):
            for position in self.positions(site.positions, prompt):
                where: tuple = (prompt, position)
                if site.kind == "head.pattern":
                    where = (prompt, site.index, position, self.positions(site.sources, prompt))
                elif site.index is not None:
                    where = (prompt, position, site.index)
                if edit.how == "zero":
                    result[where] = 0
                elif edit.how == "scale":
                    result[where] = result[where] * edit.strength
                elif edit.how in ("add", "set"):
                    part = (
                        result if site.index is None else result.select(1 if "pattern" in site.kind else 2, site.index)
                    )
                    part = part[..., None] if site.kind == "neuron" else part
                    numbers = edit.values.tensor.to(found).expand(part.shape)[prompt, position]
                    numbers = (
                        numbers[where[-1]] if site.kind == "head.pattern" else numbers.reshape(result[where].shape)
                    )
                    result[where] = numbers if edit.how == "set" else result[where] + edit.strength * numbers
                else:
                    result[where] = self.given(edit, name, site)[where]
                if getattr(edit, "renormalize", False):
                    row, before = result[where[:3]], found[where[:3]]
                    others = [src for src in range(len(row)) if src not in where[3]]
                    if before[others].sum() != 0:
                        row[others] *= (before.sum() - row[list(where[3])].sum()) / before[others].sum()
        return result

    # Where edits take their numbers from.

    def borrow_from(self, reference, labels, reference_labels):
        own = [row[len(row) - length :] for row, length in zip(self.base, self.lengths, strict=True)]
        self.own, self.reference = own, own if reference is None else list(reference)
        self.labels, self.reference_labels = labels, labels if reference_labels is None else reference_labels

    def prepare(self, edit, name, site):
        if edit.how in ("patch", "mean", "resample", "freeze"):
            self.given(edit, name, site)

    def given(self, edit, name, site) -> torch.Tensor:
        """An activation of the shape of the base's, with the numbers of another run where the edit acts."""
        if edit.how == "patch" and edit.run is None:
            return self.of_source(name, site)
        key = (name, edit.how, edit.run, edit.seed, edit.per, edit.site.positions if edit.per == "label" else None)
        if key not in self.cache:
            self.cache[key] = self.taken(edit, name, site)
        return self.cache[key]

    def taken(self, edit, name, site) -> torch.Tensor:
        if edit.how == "freeze":
            return self.seen_in(self.base, name, site)
        if edit.how == "patch":
            rows = torch.tensor(list(edit.run.prompts))
            if not edit.run.interventions:
                return self.seen_in(rows.expand(len(self.base), -1), name, site)
            rows = rows.expand(len(self.base), -1)
            other = _Oracle(self.model, rows, None, None)
            other.borrow_from(None, self.labels, None)
            for one in edit.run.interventions:
                end = getattr(one.site, "sender", one.site)
                other.prepare(one, NAMES[end.kind].format(end.layer), end)
            return other.look([name], other.hooks(list(edit.run.interventions), []))[name]
        like = self.seen_in(self.base, name, site)
        result, draw = torch.zeros_like(like), random.Random(edit.seed)
        alone = [self.seen_in(row[None], name, site, padded=False)[0] for row in self.reference]
        for prompt, row in enumerate(self.own):
            others = [i for i, one in enumerate(self.reference) if edit.per == "label" or len(one) == len(row)]
            if edit.how == "resample":
                others = [draw.choice([i for i in others if self.reference[i].tolist() != row.tolist()])]
            shift = like.shape[1 if site.kind != "head.pattern" else 2] - len(row)
            if edit.per == "label":
                for label in edit.site.positions:
                    numbers = [alone[i][self.reference_labels[label][i]] for i in others]
                    result[prompt, shift + self.labels[label][prompt]] = torch.stack(numbers).mean(0)
            elif site.kind == "head.pattern":
                result[prompt, :, shift:, shift:] = torch.stack([alone[i] for i in others]).mean(0)
            else:
                result[prompt, shift:] = torch.stack([alone[i] for i in others]).mean(0)
        return result

    def seen_in(self, tokens, name, site, *, padded=True) -> torch.Tensor:
        """An activation of an unedited run."""
        by_hand = site.kind == "head.result" and not self.by_result_hook
        wanted = NAMES["head"].format(site.layer) if by_hand else name
        seen = []
        mask = {} if self.real is None or not padded else {"attention_mask": self.real.long()}
        hooks = [(wanted, lambda found, hook: seen.append(found.clone()))]
        self.model.run_with_hooks(tokens, fwd_hooks=hooks, use_cache=False, **mask)
        return self.result_of(seen[0], site.layer) if by_hand else seen[0]

    def positions(self, entries, prompt) -> list[int]:
        width, length = self.base.shape[1], self.lengths[prompt]
        own = range(width - length, width)
        if entries is None:
            return list(own)
        found = set()
        for entry in entries:
            one = self.labels[entry][prompt] if isinstance(entry, str) else entry
            spanned = not isinstance(one, int)
            found.update(own[slice(one.start, one.stop, one.step)] if spanned else [own[one]])
        return sorted(found)

    def of_source(self, name, site) -> torch.Tensor:
        """An activation of the source run."""
        if name not in self.cache:
            self.cache[name] = self.seen_in(self.source, name, site)
        return self.cache[name]

    def through_the_stream(self, change, site) -> list[Hook]:
        moved = []

        def read(mid, hook):
            after = change(mid)
            moved[:] = [after - mid]
            return after

        return [
            (NAMES["resid_mid"].format(site.layer), read),
            (NAMES["resid_post"].format(site.layer), lambda post, hook: post + moved[0]),
        ]

    def result_of(self, z, layer) -> torch.Tensor:
        """[batch, pos, head, d_model]: the output projection on each head's z, all others set to 0."""
        project = self.model.blocks[layer].attn.o.original_component
        bias = project(torch.zeros_like(z).flatten(2))
        alone = []
        for head in range(z.shape[2]):
            one = torch.zeros_like(z)
            one[:, :, head] = z[:, :, head]
            alone.append(project(one.flatten(2)) - bias)
        return torch.stack(alone, 2)

    def raw(self, layer) -> str:
        """The hook on the output of W_O. Bloom's attention adds the residual stream before its own output hook."""
        points = self.model.hook_dict
        projected = f"blocks.{layer}.attn.o.hook_out"
        same = points[NAMES["attn_out"].format(layer)] is points[projected]
        return projected if same else f"blocks.{layer}.attn.hook_out"

    def results_by_hand(self, layer, plain) -> list[Hook]:
        edits = [edit for edit in plain if edit.site.kind == "head.result" and edit.site.layer == layer]
        changed = []

        def note(z, hook):
            before = after = self.result_of(z, layer)
            for edit in edits:
                after = self.edited(edit, NAMES["head.result"].format(layer), after)
            changed[:] = [(after - before).sum(2)]

        return [(NAMES["head"].format(layer), note), (self.raw(layer), lambda raw, hook: raw + changed[0])]

    def pattern_is_live(self, layer) -> bool:
        """Whether z follows a pattern that is set to 0."""
        pattern, z = NAMES["head.pattern"].format(layer), NAMES["head"].format(layer)
        before = self.look([z], [])[z]
        return not torch.equal(before, self.look([z], [(pattern, lambda found, hook: found * 0)])[z])

    def read_only_pattern(self, edit, name, hooks) -> list[Hook]:
        layer = edit.site.layer
        # Another edit of the same pattern has been carried out on z already, so it counts in what is seen here.
        shown = self.look([name, NAMES["head.v"].format(layer)], hooks)
        pattern, v = shown[name], shown[NAMES["head.v"].format(layer)]
        after = self.edited(edit, name, pattern)
        v = v.repeat_interleave(pattern.shape[1] // v.shape[2], 2)
        change = torch.einsum("bhds,bshe->bdhe", after - pattern, v)

        def mix(z, hook):
            return z + change

        self.early.add(mix)
        later = (name, lambda found, hook: self.edited(edit, name, found))
        return [later, (NAMES["head"].format(layer), mix)]

    # Edges.

    def message(self, edge, plain, forced, hooks) -> torch.Tensor:
        """What the edit of the sender changes in what it adds to the residual stream."""
        sender = edge.site.sender
        name = NAMES[sender.kind].format(sender.layer)
        edit = _At(sender.at(edge.site.positions), edge)
        before = self.look([name], hooks)[name]
        after = self.edited(edit, name, before)
        if sender.kind in ("attn_out", "mlp_out"):
            return after - before
        joins = {"head": "attn_out", "neuron": "mlp_out", "embed": "resid_pre"}[sender.kind]
        output = NAMES[joins].format(sender.layer)
        if sender.kind == "head":
            change = (self.result_of(after, sender.layer) - self.result_of(before, sender.layer)).sum(2)
            sent = (self.raw(sender.layer), lambda raw, hook: raw + change)
        else:
            sent = (name, lambda found, hook: after)
        upto = [hook for hook in hooks if hook[0] != output]
        return self.look([output], [*upto, sent])[output] - self.look([output], upto)[output]

    def received(self, receiver, message, plain, forced) -> list[Hook]:
        """Hooks that give a receiver what it hears."""
        name = NAMES[receiver.kind].format(receiver.layer)
        if receiver.kind == "resid_mid":
            return self.through_the_stream(lambda mid: mid + message, receiver)
        if receiver.kind.startswith("resid"):
            return [(name, lambda stream, hook: stream + message)]
        reads = "resid_mid" if receiver.kind == "mlp_out" and not _parallel(self.model) else "resid_pre"
        hearing = (NAMES[reads].format(receiver.layer), lambda stream, hook: stream + message)
        heard = self.look([], self.hooks(plain, forced, [hearing]), first=[name])[f"first {name}"]

        def put(found, hook):
            if receiver.index is None:
                return heard
            result = found.clone()
            result[:, :, receiver.index] = heard[:, :, receiver.index]
            return result

        return [(name, put)]


class _At:
    """An edit of a sender, as an edge asks for it."""

    def __init__(self, site, edge):
        self.site, self.how, self.strength = site, edge.how, edge.strength
        self.values, self.seed, self.per, self.run = edge.values, edge.seed, edge.per, edge.run


def _moment(receiver):
    return receiver.layer, KINDS.index(receiver.kind), receiver.index or 0


def _parallel(model) -> bool:
    return bool(getattr(model.cfg, "parallel_attn_mlp", False))
