"""What people give as a model and is none yet: told apart by its class, with the lines that make a model of it.

Classes are known by name, so that nothing is imported to refuse something.
"""

from __future__ import annotations

import json
import re
from pathlib import Path

from circuitboard.errors import ModelError

_ADAPTER = "adapter_config.json"
_HUB_NAME = re.compile(r"[\w./-]{1,200}")


def no_model(given: object, *, code: str = "not_a_bridge") -> ModelError:
    """The refusal of something that is no `TransformerBridge`."""
    found = f"{'the class ' if isinstance(given, type) else 'a '}{_class(given).__name__}"
    if isinstance(given, str):
        found = f"the text {given!r:.60}"
    return ModelError(f"A TransformerLens TransformerBridge is needed, not {found}. {_lines(given)}", code=code)


def require_model(given: object) -> None:
    """Refuse what has nothing to read prompts with.

    Raises
    ------
    ModelError
        `not_a_bridge`.
    """
    if isinstance(given, type) or not hasattr(given, "cfg") or not hasattr(given, "to_tokens"):
        raise no_model(given)


def _class(given: object) -> type:
    return given if isinstance(given, type) else type(given)


def _lines(given: object) -> str:  # noqa: C901, PLR0911, PLR0912  a line a kind
    kinds = {kind.__name__ for kind in _class(given).__mro__}
    modules = {kind.__module__.partition(".")[0] for kind in _class(given).__mro__}
    bridge = "TransformerBridge.boot_transformers(name, hf_model=model, tokenizer=tokenizer)"
    where = "(from transformer_lens.model_bridge import TransformerBridge)"
    if isinstance(given, type):
        return "Give an object of it, such as cb.load('demo')."
    if isinstance(given, (str, Path)):
        return f"Load it first: model = cb.load({str(given)!r:.200}), then cb.Board(model, pair)."
    if "OptimizedModule" in kinds:
        return f"torch.compile wraps the model; give what it wraps: model._orig_mod. {_again(getattr(given, '_orig_mod', None))}".strip()
    if kinds & {"DataParallel", "DistributedDataParallel"}:
        return "It wraps the model; give what it wraps: model.module."
    if "PeftModel" in kinds:
        return f"Merge its adapter first: merged = model.merge_and_unload(), then {bridge.replace('model,', 'merged,')} {where}, where name is the base model's."
    if "PreTrainedModel" in kinds:
        name = _name(getattr(given, "name_or_path", None))
        named = bridge if name is None else bridge.replace("name,", f"{name!r},")
        return f"Wrap the Hugging Face model, weights as they are: {named} {where}."
    if "HookedTransformer" in kinds or "HookedEncoder" in kinds:
        name = _name(getattr(getattr(given, "cfg", None), "model_name", None)) or "name"
        return f"It is TransformerLens's older class; load the model as a bridge: cb.load({name!r}). Weights that you changed do not come along."
    if "transformers" in modules and hasattr(given, "tokenizer") and hasattr(given, "model"):
        return "A pipeline holds a model: give pipe.model to TransformerBridge.boot_transformers(name, hf_model=pipe.model, tokenizer=pipe.tokenizer)."
    if "nnsight" in modules:
        return f"It wraps a Hugging Face model: {bridge.replace('=model', '=model._model')} {where}."
    if kinds & {"PreTrainedTokenizerBase", "TokenizersBackend"}:
        return "That is a tokenizer; the model it belongs to is loaded by name: cb.load('demo')."
    if "PromptPair" in kinds:
        return "The model comes first: cb.Board(model, pair)."
    if "Module" in kinds:
        return "Where heads and MLPs are in a module of your own only a bridge can say: TransformerBridge.boot_native(TransformerBridgeConfig(…)), then load your weights into it."
    if isinstance(given, dict):
        return "Weights alone are no model: load the model they belong to, then model.load_state_dict(weights)."
    return "Load one by name, such as cb.load('demo'); cb.models() lists them."


def _again(wrapped: object) -> str:
    """What to do with what was wrapped, if that is no bridge either."""
    kinds = {kind.__name__ for kind in type(wrapped).__mro__}
    return "" if wrapped is None or "TransformerBridge" in kinds else _lines(wrapped)


def _name(given: object) -> str | None:
    return given if isinstance(given, str) and _HUB_NAME.fullmatch(given) else None


def other_place(folder: Path) -> str | None:
    """What lies at a path that is no whole model: a file, an adapter alone, GGUF files, checkpoints; None for a model's folder, or nothing."""
    if folder.suffix and folder.is_file():
        return (
            f"{str(folder)!r:.200} is a file, and a model is a folder with its configuration, weights and tokenizer. "
            f"Load the folder that it lies in, if that holds them: cb.load({str(folder.parent)!r:.200})."
        )
    if not folder.is_dir() or (folder / "config.json").is_file():
        return None
    if (folder / _ADAPTER).is_file():
        base = _base_of(folder / _ADAPTER)
        return (
            f"The folder {str(folder)!r:.200} holds an adapter alone, no model. Merge it into its base model and load that: "
            f"merged = peft.PeftModel.from_pretrained(transformers.AutoModelForCausalLM.from_pretrained({base!r}), {str(folder)!r:.200}).merge_and_unload(), "
            f"then TransformerBridge.boot_transformers({base!r}, hf_model=merged)."
        )
    weights = sorted(path.name for path in folder.glob("*.gguf"))
    if weights:
        return (
            f"The folder {str(folder)!r:.200} holds GGUF weights ({weights[0]:.80}) alone. Read them with transformers, and wrap the model: "
            f"hf = transformers.AutoModelForCausalLM.from_pretrained({str(folder)!r:.200}, gguf_file={weights[0]!r:.80}), "
            "then TransformerBridge.boot_transformers(name, hf_model=hf, tokenizer=tokenizer), where name is the model's on the hub."
        )
    below = sorted(path.parent for path in folder.glob("*/config.json"))
    line = (
        f" Its folders do: cb.load({str(below[-1])!r:.200})."
        if below
        else " Make one with model.save_pretrained(folder) and tokenizer.save_pretrained(folder)."
    )
    return f"The folder {str(folder)!r:.200} holds no model: there is no config.json in it.{line}"


def _base_of(config: Path) -> str:
    """The name of an adapter's base model."""
    try:
        found = json.loads(config.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        found = None
    return _name(found.get("base_model_name_or_path") if isinstance(found, dict) else None) or "base model"
