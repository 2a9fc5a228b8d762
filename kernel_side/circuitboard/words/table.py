"""The table: what people type who know TransformerLens or the papers, and the line that does it here.

One entry a meaning. `where` says what was being named; a word is matched whole, without regard to case. In `line`,
`{0}`, `{1}` are the groups of the pattern.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

Meant = Literal[
    "site",
    "over",
    "how",
    "by",
    "metric",
    "approximate",
    "argument",
    "call",
    "Board",
    "circuitboard",
    "PromptPair",
    "Site",
    "tasks",
    "result",
    "base",
    "engine",
    "set",
]
"""What a name is looked up as: text for a site, an argument, a metric, a keyword, an attribute, or one that is assigned to."""


@dataclass(frozen=True)
class Word:
    """Some spellings of one thing, and what to type.

    Parameters
    ----------
    where
        What is named so.
    spelt
        A regular expression for the whole word.
    line
        What to type instead; for "argument", the name of the argument.
    note
        What to know about it.
    """

    where: Meant
    spelt: str
    line: str
    note: str = ""

    @cached_property
    def pattern(self) -> re.Pattern[str]:
        return re.compile(self.spelt, re.IGNORECASE)

    def answer(self, given: str) -> str | None:
        """The line for a word, if this entry is about it."""
        match = self.pattern.fullmatch(given)
        return None if match is None else self.line.format(*match.groups())


_BLOCK = r"(?:blocks\.)?(\d{1,6})\."
_ABLATE = "(?:zero[ _-]?)?ablat(?:e|ion|e_heads?|ed)|knock_?out|zero_?out|remove_heads?"
_MEAN = "mean[ _-]?ablat(?:e|ion|ed)|average"
_PATCH = "(?:activation|act)[ _-]?patch(?:ing)?|patch(?:ing|_heads?|_activations?)?|denoise|denoising|restore|interchange(?:_intervention)?"
_ATTRIBUTE = "attribution(?:[ _-]patching)?|attribute|atp|eap|grad(?:ient)?s?"

FIELD: tuple[Word, ...] = (
    # --- text that is meant to name a site; what names exactly one is read by `cb.site` itself
    Word("site", _BLOCK + r"attn\.(?:hook_z|o\.hook_in)", "cb.head({0}, 6)", "it names all heads of the layer; give one, or sweep them: board.sweep('head', layers=[{0}])"),
    Word("site", _BLOCK + r"attn\.qkv\.hook_out", "cb.head({0}, 6).q", "it names the queries, keys and values of all heads; give one"),
    Word("site", _BLOCK + r"attn\.(?:hook_out|o\.hook_out)", "cb.attn_out({0})", "or one head: cb.head({0}, 6)"),
    Word("site", _BLOCK + r"attn\.(?:hook_|)([qkv])(?:\.hook_out)?", "cb.head({0}, 6).{1}", "it names all heads of the layer; give one"),
    Word("site", _BLOCK + r"attn\.hook_rot_([qk])", "cb.head({0}, 6).{1}", "queries and keys are edited before positions are turned into them"),
    Word("site", _BLOCK + r"attn\.hook_(?:pattern|attn_scores)", "cb.head({0}, 6).pattern", "it names all heads of the layer; scores before the softmax are no site"),
    Word("site", _BLOCK + r"attn\.hook_result", "cb.head({0}, 6).result", "it names all heads of the layer; give one"),
    Word("site", _BLOCK + r"mlp\.(?:hook_post|out\.hook_in)", "cb.neuron({0}, 6)", "it names all neurons of the layer; give one"),
    Word("site", _BLOCK + r"mlp\.(?:hook_pre|hook_pre_linear|in\.hook_out|gate\.hook_out)", "cb.neuron({0}, 6)", "a neuron is edited after its non-linearity"),
    Word("site", _BLOCK + r"hook_resid_mid", "cb.resid_mid({0})", "here it is the stream itself; TransformerLens's hook of a bridge changes only what the MLP reads"),
    Word("site", _BLOCK + r"hook_in", "cb.resid_pre({0})", "the stream that enters the block"),
    Word("site", _BLOCK + r"hook_out", "cb.resid_post({0})", "the stream that leaves the block"),
    Word("site", _BLOCK + r"mlp\.(?:hook_out|out\.hook_out)", "cb.mlp_out({0})", "or one neuron: cb.neuron({0}, 6)"),
    Word("site", _BLOCK + r"(?:(?:attn\.)?(?:hook_[qkv]_input|hook_attn_in)|attn\.(?:hook_in|hook_hidden_states|(?:q|k|v|qkv)\.hook_in))", "cb.edge(cb.head(0, 1), cb.head({0}, 6).q)", "what a head reads is edited sender by sender"),
    Word("site", _BLOCK + r"(?:hook_mlp_in|mlp\.(?:hook_in|hook_hidden_states|(?:in|gate)\.hook_in))", "cb.edge(cb.head(0, 1), cb.mlp_out({0}))", "what an MLP reads is edited sender by sender"),
    Word("site", _BLOCK + r"ln2\..*", "cb.resid_mid({0})", "the inside of a norm is no site; the stream before it is"),
    Word("site", _BLOCK + r"\w*(?:ln|norm)\w*(?:\..*)?", "cb.resid_pre({0})", "the inside of a norm is no site; the stream before it is"),
    Word("site", r"(?:transformer\.h|model\.layers|gpt_neox\.layers|model\.decoder\.layers)\.(\d{1,6})", "cb.resid_post({0})", "the stream that leaves the block"),
    Word("site", r"(?:transformer\.h|model\.layers|gpt_neox\.layers|model\.decoder\.layers)\.(\d{1,6})\.(?:self_attn|attn|attention).*", "cb.attn_out({0})", "or one head: cb.head({0}, 6)"),
    Word("site", r"(?:transformer\.h|model\.layers|gpt_neox\.layers|model\.decoder\.layers)\.(\d{1,6})\.mlp.*", "cb.mlp_out({0})", "or one neuron: cb.neuron({0}, 6)"),
    Word("site", r"(?:hook_)?(?:pos|rotary)_emb.*|(?:blocks\.)?\d+\.attn\.hook_(?:cos|sin)", "cb.resid_pre(0)", "positions alone are no site; the stream that enters block 0 has them added"),
    Word("site", r"ln_final.*|(?:hook_)?unembed.*|logits", "cb.resid_post(9)", "what comes after the last block is no site; its stream is (for 10 blocks, 9)"),
    Word("site", r"embed.*|hook_tokens|wte|tokens?|embeddings?|W_E", "cb.embed()", "the embedding of tokens"),
    Word("site", r"patterns?[ ._](\d{1,6})[.](\d{1,6})", "cb.head({0}, {1}).pattern"),
    Word("site", r"(?:n|neurons?)[ ._(]*(\d{1,6})[ .,:_]+(\d{1,6})\)?", "cb.neuron({0}, {1})"),
    Word("site", r"l(\d{1,6})[ .]*n(\d{1,6})", "cb.neuron({0}, {1})"),
    Word("site", r"\(?(?:cb\.)?(?:l|a|h|attn|attention|heads?|layer)?[ ._(]*(\d{1,6})(?:[ .,:_-]|h|head)+(\d{1,6})\)?(?:\.(?:z|hook_z|out|attn))?", "cb.head({0}, {1})", "layer and head"),
    Word("site", r"(?:mlps?|ffn)[ ._]?(\d{1,6})", "cb.mlp_out({0})"),
    Word("site", r"(?:attn|attention|a)[ ._]?(\d{1,6})", "cb.attn_out({0})", "or one head: cb.head({0}, 6)"),
    Word("site", r"(?:resid|residual|stream|x)[ ._]?(\d{1,6})", "cb.resid_pre({0})"),
    Word("site", r"(?:l|layers?|blocks?)[ ._]?(\d{1,6})", "cb.resid_post({0})", "the stream that leaves the layer; or one head of it: cb.head({0}, 6)"),
    Word("site", r"heads?|z|hook_z|attn|attention", "cb.head(9, 6)", "layer and head"),
    Word("site", r"mlp|mlps|hook_mlp_out", "cb.mlp_out(9)", "with its layer"),
    Word("site", r"resid|residual|hook_resid_(?:pre|post)", "cb.resid_pre(9)", "with its layer"),
    Word("site", r"neurons?|hook_post", "cb.neuron(9, 6)", "layer and neuron"),
    # --- what a sweep goes over
    Word("over", _BLOCK + r"attn\.hook_z", "board.sweep('head', layers=[{0}])"),
    Word("over", _BLOCK + r"attn\.o\.hook_in", "board.sweep('head', layers=[{0}])"),
    Word("over", _BLOCK + r"attn\.([qkv])\.hook_out", "board.sweep('head.{1}', layers=[{0}])"),
    Word("over", _BLOCK + r"attn\.hook_(?:pattern|attn_scores)", "board.sweep('head.pattern', layers=[{0}])"),
    Word("over", _BLOCK + r"attn\.hook_result", "board.sweep('head.result', layers=[{0}])"),
    Word("over", _BLOCK + r"(?:hook_attn_out|attn\.(?:o\.)?hook_out)", "board.sweep('attn_out', layers=[{0}])"),
    Word("over", _BLOCK + r"hook_resid_(pre|mid|post)", "board.sweep('resid_{1}', by='pos', layers=[{0}])"),
    Word("over", _BLOCK + r"mlp\.(?:hook_post|hook_pre|in\.hook_out|out\.hook_in)", "board.sweep('neuron', layers=[{0}])"),
    Word("over", r"z|hook_z|heads|attn_?heads?|attention_?heads?|attn|attention", "board.sweep('head')"),
    Word("over", _BLOCK + r"attn\.hook_([qkv])", "board.sweep('head.{1}', layers=[{0}])"),
    Word("over", r"(?:hook_|head_)?([qkv])", "board.sweep('head.{0}')"),
    Word("over", r"quer(?:y|ies)", "board.sweep('head.q')"),
    Word("over", r"keys?", "board.sweep('head.k')"),
    Word("over", r"values?", "board.sweep('head.v')"),
    Word("over", r"patterns?|attn_patterns?|attention_patterns?|hook_pattern|attn_scores|hook_attn_scores|scores", "board.sweep('head.pattern')"),
    Word("over", r"results?|hook_result", "board.sweep('head.result')"),
    Word("over", r"(?:blocks\.)?(\d{1,6})\.hook_mlp_out", "board.sweep('mlp_out', layers=[{0}])"),
    Word("over", r"mlps?|mlp_outs?|hook_mlp_out|ffn", "board.sweep('mlp_out')"),
    Word("over", r"neurons|mlp_neurons|post|hook_post|mlp_post|mlp\.hook_post", "board.sweep('neuron', layers=[9])"),
    Word("over", r"resid|residual(?:_stream)?s?|resid_streams?|hook_resid_pre|layers?|blocks?", "board.sweep('resid_pre', by='pos')"),
    Word("over", r"hook_resid_(mid|post)", "board.sweep('resid_{0}', by='pos')"),
    Word("over", r"hook_attn_out|attn_outs", "board.sweep('attn_out')"),
    Word("over", r"embed|hook_embed|pos|positions?|tokens?", "board.sweep('resid_pre', by='pos', layers=[0])"),
    Word("over", r"edges?|paths?", "board.edit(cb.edge(cb.head(0, 1), cb.head(1, 2).q).zero())", "edges are edited one by one"),
    # --- what happens in each cell
    Word("how", _ABLATE + "|corrupt|off|delete", "how='zero'", "or how='mean', which keeps what all prompts share"),
    Word("how", _MEAN, "how='mean'"),
    Word("how", r"resampl(?:e[ _-]?ablat(?:e|ion)|ing)|random|shuffle", "how='resample'"),
    Word("how", _PATCH + "|noising|noise|causal_tracing", "how='patch'", "from the corrupted run into the clean one; the other way round with cb.Board(…, base='corrupted')"),
    Word("how", _ATTRIBUTE, "approximate='atp'", "with how='patch' or another"),
    Word("how", r"scale|add|set|steer(?:ing)?|freeze", "board.edit(cb.head(9, 6).scale(0.5))", "this is done to one site at a time"),
    # --- by
    Word("by", r"positions?|tokens?|pos_?ition|dest|seq|each|per_?pos(?:ition)?", "by='pos'"),
    Word("by", r"heads?|layers?|component|none|sum|together|per_?prompt", "by='all'", "the layers and heads are axes of the map already"),
    # --- metrics
    Word("metric", r"kl[ _-]?div(?:ergence)?|kl_loss|d_?kl", "metric='kl'"),
    Word("metric", r"acc(?:uracy)?|correct|top[ _-]?1", "metric='rank'", "1 is a right answer; as a share of prompts: metric=lambda logits: (logits[:, -1].argmax(-1) == answers).float()"),
    Word("metric", r"logits?[ _-]?diff(?:erence)?s?|ld", "metric='logit_diff'"),
    Word("metric", r"logits?|answer_logit|correct_logit", "metric=lambda logits: logits[:, -1, token]", "the logit of one token id"),
    Word("metric", r"log[ _-]?prob(?:abilit(?:y|ie))?s?|log_?softmax", "metric='log_prob'"),
    Word("metric", r"prob(?:abilit(?:y|ie))?s?|softmax|p", "metric='prob'"),
    Word("metric", r"(?:cross[ _-]?entropy|ce|nll|lm|next_token)(?:[ _-]?loss)?|perplexity", "metric='loss'"),
    Word("metric", r"answer_rank|ranks|mrr", "metric='rank'"),
    # --- estimates
    Word("approximate", r"(?:" + _ATTRIBUTE + r"|attribution_patching|linear|true|taylor)", "approximate='atp'"),
    Word("approximate", r"atp_?star|atp-star|atpstar", "approximate='atp*'"),
    # --- keyword arguments: the argument's name
    Word("argument", r"corrupt(?:ed)?(?:_(?:prompts?|texts?|input|tokens))?|counterfactuals?|foil_prompts?|source", "corrupted"),
    Word("argument", r"clean_(?:prompts?|texts?|input|tokens)|prompts?|text", "clean"),
    Word("argument", r"incorrect(?:_answers?)?|wrong_(?:answers?|ids?|tokens?)|wrongs|foils?|distractors?|false_answer", "wrong"),
    Word("argument", r"(?:correct|right)(?:_answers?)?|answers|answer_(?:ids?|tokens?)|targets?|labels?_?ids", "answer"),
    Word("argument", r"pair|dataset|prompt_pair|data|prompts?", "prompts"),
    Word("argument", r"metric_fn|metrics|patching_metric|loss_fn|score", "metric"),
    Word("argument", r"metrics?|metric_fn", "on"),
    Word("argument", r"pos|position|tokens?|at", "positions"),
    Word("argument", r"positions?|token", "pos"),
    Word("argument", r"layer|blocks?", "layers"),
    Word("argument", r"site|component|kind|activation|what|hook_name|act_name", "over"),
    Word("argument", r"axis|per|granularity", "by"),
    Word("argument", r"ablation|ablate|method|mode|intervention", "how"),
    Word("argument", r"atp|estimate|fast|approx(?:imation)?", "approximate"),
    Word("argument", r"run_base|noising|direction|start", "base"),
    Word("argument", r"factor|strength|coeff?(?:icient)?|alpha|multiplier", "scale"),
    Word("argument", r"strength|scale|coeff?(?:icient)?|alpha|multiplier", "factor"),
    Word("argument", r"n_?prompts|num_?prompts|size|batch_size|n_examples", "n"),
    Word("argument", r"top_?k|n|num|k", "k"),
    Word("argument", r"top_?k|k", "top"),
    Word("argument", r"neuron|unit|idx", "index"),
    Word("argument", r"bos|add_bos|add_special_tokens", "prepend_bos"),
    Word("argument", r"torch_dtype|precision", "dtype"),
    Word("argument", r"model_name|model_id|pretrained", "name"),
    Word("argument", r"random_seed|rng", "seed"),
    # --- calls whose arguments people know otherwise
    Word("call", "PromptPair", "cb.PromptPair(clean, corrupted, answer=' Mary', wrong=' John')", "the right and the wrong answer are two arguments"),
    Word("call", "head", "cb.head(9, 6)", "layer and head are two numbers"),
    Word("call", "neuron", "cb.neuron(9, 6)", "layer and neuron are two numbers"),
    Word("call", "Board.(?:show_)?attention", "board.attention(9, 6)", "layer and head are two numbers"),
    # --- which run is edited, and by which engine
    Word("base", r"nois(?:ing|y?)|clean_?(?:run|tokens|prompt)", "base='clean'", "patches then bring in the corrupted run: noising"),
    Word("base", r"denois(?:ing|e)|corrupt(?:_?(?:run|tokens|prompt))?|counterfactual|corrupted_\w+", "base='corrupted'", "patches then bring in the clean run: denoising"),
    Word("engine", r"hooks?|transformer_?lens|tl|plain|slow|exact|reference", "engine='hooked'"),
    Word("engine", r"fast(?:est)?|default|best|cuda|gpu|cpu|none", "engine='auto'", "the fastest that equals plain hooks; where it runs is the model's device"),
    # --- what is assigned to on a board
    Word("set", r"base", "board.set_base('corrupted')"),
    Word("set", r"metrics?|engine|reference|memory|autosave|model|pair|prompts|answers?|wrong|clean|corrupted|labels", "cb.Board(board.model, board.pair, metric='kl')", "a board is made with it"),
    Word("set", r"edits|value|values|state|history|interventions?", "board.edit(cb.head(9, 6).zero())", "and board.undo(), board.clear()"),
    # --- attributes of a board
    Word("Board", _ABLATE, "board.edit(cb.head(9, 6).zero())", "every head in turn: board.sweep('head', how='zero')"),
    Word("Board", _MEAN, "board.edit(cb.head(9, 6).mean())"),
    Word("Board", r"resample(?:_ablate)?", "board.edit(cb.head(9, 6).resample())"),
    Word("Board", _PATCH, "board.edit(cb.head(9, 6).patch())", "every head in turn: board.sweep('head')"),
    Word("Board", r"path_?patch(?:ing)?|edges?|path_sweep", "board.edit(cb.edge(cb.head(9, 6), cb.head(10, 7).q).patch())"),
    Word("Board", _ATTRIBUTE + "|integrated_gradients", "board.sweep('head', approximate='atp')"),
    Word("Board", r"steer(?:ing)?|add(?:_vector)?|scale|set|set_value|freeze|intervene|intervention|apply|hook|add_hook|add_perma_hook|hooks|run_with_hooks|do", "board.edit(cb.head(9, 6).scale(0.5))", "or .zero(), .mean(), .patch(), .add(vector), .set(values); without keeping it: board.preview(…)"),
    Word("Board", r"run_with_cache|cache|get_cache|activations|activation|acts", "board.model.run_with_cache(board.prompts.clean_tokens)", "activations of the model itself; patterns with edits in force: board.attention(9, 6)"),
    Word("Board", r"run|forward|call|generate|predict|predictions", "board.top_tokens()", "or all logits: board.logits()"),
    Word("Board", r"reset(?:_hooks)?|clear_hooks|remove_all|remove_hooks|restart", "board.clear()"),
    Word("Board", r"to_tokens|tokens|clean_tokens|input_ids", "board.prompts.clean_tokens"),
    Word("Board", r"corrupted_tokens|corrupt_tokens", "board.prompts.corrupted_tokens"),
    Word("Board", r"to_str_tokens|str_tokens", "board.prompts.str_tokens('clean')"),
    Word("Board", r"logit_diff(?:erence)?|prob|log_prob|rank|kl|loss|metric|result|score|output|outcome", "board.value", "the board's metric; several: board.metrics"),
    Word("Board", r"clean_logits|corrupted_logits|logit", "board.logits()", "of the current run"),
    Word("Board", r"dla|logit_attrs?|logit_attribution|direct_effects?|accumulated_resid|decompose_resid|stack_head_results", "board.direct_logit_attribution()"),
    Word("Board", r"lens|tuned_lens", "board.logit_lens()"),
    Word("Board", r"patterns?|attention_patterns?|attn|attention_head", "board.attention(9, 6)"),
    Word("Board", r"hydra|compensation|backup", "board.self_repair(cb.head(9, 6).zero())"),
    Word("Board", r"plot|show|display|view|panel|render|draw|imshow", "board", "as the last line of a cell; a map as a picture: board.sweep('head').plot()"),
    Word("Board", r"ipywidget|as_widget|to_widget", "board.widget()"),
    Word("Board", r"cfg|config", "board.model.cfg"),
    Word("Board", r"n_layers|n_heads|d_model|d_head|d_vocab|n_ctx|d_mlp", "board.model.cfg.{0}".replace("{0}", "n_layers"), "and so for its other sizes"),
    Word("Board", r"tokenizer", "board.model.tokenizer"),
    Word("Board", r"answers?|wrong|clean|corrupted|labels", "board.pair", "the prompts as they were given; as tokens: board.prompts"),
    Word("Board", r"heads?|neuron|mlp|mlp_out|attn_out|resid_pre|resid_mid|resid_post|embed|site", "cb.head(9, 6)", "sites are named by the package, not by a board"),
    Word("Board", r"interventions|steps|log|states|undo_stack", "board.edits", "with what was undone: board.history"),
    Word("Board", r"export|to_html", "board.export_html('board.html')"),
    Word("Board", r"to_svg", "board.export_svg('map.svg')"),
    Word("Board", r"write|dump|to_json|to_file|checkpoint|state_dict", "board.save('mine.board.json')"),
    Word("Board", r"open|read|from_file|load_state_dict", "cb.Board.load('mine.board.json', model)"),
    Word("Board", r"copy|clone|fork|duplicate", "cb.Board(board.model, board.pair)"),
    Word("Board", r"code|python|script", "print(board.to_python())"),
    Word("Board", r"update|recompute|rerun|remeasure|sync|reload_model", "board.refresh()"),
    Word("Board", r"test|check|validate", "board.verify()"),
    Word("Board", r"memory|device|tier|dtype|why", "board.engine"),
    Word("Board", r"table|df|dataframe|to_dataframe", "board.per_prompt()", "maps: board.sweep('head').to_dataframe()"),
    # --- attributes of the package
    Word("circuitboard", r"hookedtransformer|transformerbridge|from_pretrained|load_model|model|automodel\w*", "cb.load('demo')", "or another name: cb.models()"),
    Word("circuitboard", r"promptpairs?|pair|prompts?|dataset|prompt_pair", "cb.PromptPair(clean, corrupted, answer=' Mary', wrong=' John')"),
    Word("circuitboard", r"heads|z|attn_head|attention_head|attention|attn|head_out", "cb.head(9, 6)"),
    Word("circuitboard", r"([qkv])|quer(?:y|ies)|keys?|values?", "cb.head(9, 6).q", "and .k, .v"),
    Word("circuitboard", r"patterns?|attn_pattern|attention_pattern", "cb.head(9, 6).pattern"),
    Word("circuitboard", r"mlp|mlps|ffn", "cb.mlp_out(9)"),
    Word("circuitboard", r"neurons|unit", "cb.neuron(9, 6)"),
    Word("circuitboard", r"resid|residual(?:_stream)?|resid_stream", "cb.resid_pre(9)"),
    Word("circuitboard", r"embedding|token_embed|pos_embed", "cb.embed()"),
    Word("circuitboard", r"(?:zero_?)?" + _ABLATE, "cb.head(9, 6).zero()", "an edit for board.edit(…)"),
    Word("circuitboard", _MEAN, "cb.head(9, 6).mean()"),
    Word("circuitboard", _PATCH, "cb.head(9, 6).patch()", "an edit for board.edit(…)"),
    Word("circuitboard", r"path_?patch(?:ing)?|path|edges", "cb.edge(cb.head(9, 6), cb.head(10, 7).q)"),
    Word("circuitboard", r"sweep|sweeps|logit_lens|direct_logit_attribution|dla|self_repair|top_tokens|verify|edit|" + _ATTRIBUTE, "cb.Board(model, pair).sweep('head')", "what is computed is a method of a board"),
    Word("circuitboard", r"run_with_cache|cache|activationcache|run_with_hooks", "cb.Run(prompts)", "a run to patch from"),
    Word("circuitboard", r"task|ioi|induction|docstring|greater_than|datasets", "cb.tasks.ioi(8, model=model)", "cb.tasks.list() has the others"),
    Word("circuitboard", r"circuit|circuits", "cb.Board(model, pair)"),
    Word("circuitboard", r"error|exception|circuiterror", "cb.CircuitboardError"),
    # --- attributes of a pair
    Word("PromptPair", r"corrupt|counterfactuals?|corrupted_(?:prompts?|text)", "pair.corrupted"),
    Word("PromptPair", r"prompts?|clean_(?:prompts?|text)|text", "pair.clean"),
    Word("PromptPair", r"answers|correct|right|target|answer_(?:token|str)s?", "pair.answer"),
    Word("PromptPair", r"incorrect|wrongs|wrong_(?:answers?|token|tokens|str)|foil|distractor", "pair.wrong"),
    Word("PromptPair", r"tokens|to_tokens|input_ids|clean_ids", "pair.clean_tokens", "once a model has read it: pair.bind(model)"),
    Word("PromptPair", r"str_tokens|to_str_tokens|show|print|display|diff|to_dataframe", "pair.table()"),
    Word("PromptPair", r"n|size|batch_size|n_prompts", "len(pair)"),
    Word("PromptPair", r"positions|roles", "pair.labels"),
    Word("PromptPair", r"tokenize|to_model", "pair.bind(model)"),
    # --- attributes of cb.tasks, and of what a board returns
    Word("tasks", r"names|all|available|list_tasks|catalogue|help", "cb.tasks.list()"),
    Word("tasks", r"from_(?:csv|dataframe|df|pandas|json|jsonl|file|list|records|dict)|custom|load|read\w*", "cb.tasks.from_table('mine.csv', model=model)"),
    Word("tasks", r"indirect_object(?:_identification)?|ioi_dataset|names_task", "cb.tasks.ioi(8, model=model)"),
    Word("result", r"df|to_df|table|dataframe|to_pandas|as_frame", "sweep.to_dataframe()"),
    Word("result", r"best|largest|max|argmax|topk|sorted|sort|rank", "sweep.top(5)"),
    Word("result", r"heatmap|show|imshow|figure|draw|display", "sweep.plot()"),
    Word("result", r"sem?|stderrs|error(?:s|_bars?)?|std(?:_err(?:or)?)?", "sweep.stderr"),
    Word("result", r"p|p_?values?|significance", "sweep.pvalue()"),
    Word("result", r"confidence(?:_interval)?|interval|bootstrap", "sweep.ci()"),
    Word("result", r"effects|delta|deltas|diff|difference|changes", "sweep.effect", "of a step: outcome.change"),
    Word("result", r"metric_value|result|results|logit_diff|score|scores|data|tensor|array|numpy", "sweep.values", "of a step: outcome.value and outcome.values"),
    # --- attributes of a site or an edge
    Word("Site", r"z|hook_z|output", "cb.head(9, 6)", "a head is its z"),
    Word("Site", r"(?:hook_)?(?:quer(?:y|ies)|q_input|rot_q)", "cb.head(9, 6).q"),
    Word("Site", r"(?:hook_)?(?:keys?|k_input|rot_k)", "cb.head(9, 6).k"),
    Word("Site", r"(?:hook_)?(?:values?|v_input)", "cb.head(9, 6).v"),
    Word("Site", r"attn|attention|scores|attn_scores|patterns|probs|hook_pattern", "cb.head(9, 6).pattern"),
    Word("Site", r"out|attn_out|results|hook_result|w_o", "cb.head(9, 6).result"),
    Word("Site", _ABLATE, "cb.head(9, 6).zero()"),
    Word("Site", _MEAN, "cb.head(9, 6).mean()"),
    Word("Site", r"resample_ablate|randomi[sz]e|shuffle|noise", "cb.head(9, 6).resample()"),
    Word("Site", _PATCH + "|from_run|patch_from", "cb.head(9, 6).patch()"),
    Word("Site", r"steer(?:ing)?|plus|shift|add_vector", "cb.head(9, 6).add(vector)"),
    Word("Site", r"multiply|times|mul|amplify|strength", "cb.head(9, 6).scale(0.5)"),
    Word("Site", r"set_to|assign|replace|write", "cb.head(9, 6).set(values)"),
    Word("Site", r"hold|fix|frozen|pin", "cb.head(9, 6).freeze()"),
    Word("Site", r"pos|position|token|tokens|on|where", "cb.head(9, 6).at(-1)"),
    Word("Site", r"to|edge|path", "cb.edge(cb.head(9, 6), cb.head(10, 7).q)"),
)  # fmt: skip
