"""A small Llama of random weights, with a tokenizer trained on the spot: the real engine to test with, no download.

python -m casper_ray.serve.llm.tiny_llama FOLDER
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any, Final

from casper_ray.agents.agent import Agent
from casper_ray.agents.engines.requests import answer_format, system_text
from casper_ray.agents.registry import AGENTS, load_agent

CONTEXT: Final = 8_192
"""Tokens that it takes, as `max_model_len` may say: prompts of agents are long."""
_MARKS: Final = ("<|begin|>", "<|end|>", "<|pad|>", "<tool_call>", "</tool_call>")
_CHAT: Final = """\
{{- '<|begin|>' }}
{%- if tools %}{{ 'system\\nTools, one a line:\\n' }}
{%- for tool in tools %}{{ tool | tojson }}{{ '\\n' }}{% endfor %}
{{- 'A call is <tool_call>{"name": NAME, "arguments": {}}</tool_call>.\\n<|end|>' }}{%- endif %}
{%- for message in messages %}{{ message['role'] }}{{ '\\n' }}
{%- if message['content'] is string %}{{ message['content'] }}{%- endif %}
{%- for call in message['tool_calls'] or [] %}
{{- '<tool_call>' }}{{ call['function'] | tojson }}{{ '</tool_call>' }}{%- endfor %}
{{- '<|end|>\\n' }}{%- endfor %}
{%- if add_generation_prompt %}{{ 'assistant\\n' }}{%- endif %}"""
_SHAPE: Final[dict[str, Any]] = {
    "hidden_size": 128,
    "intermediate_size": 352,
    "num_hidden_layers": 4,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "max_position_embeddings": CONTEXT,
    "tie_word_embeddings": True,
}
_VOCABULARY, _SEED = 4_096, 42


def write_tiny_llama(folder: Path, **shape: int) -> None:
    """The model's files in `folder`. The same weights each time: they are drawn by a fixed seed. Retry: safe.

    shape: what is to be other than tiny, by transformers' names, such as num_hidden_layers.
    """
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    folder.mkdir(parents=True, exist_ok=True)
    tokenizer = _trained(folder)
    torch.manual_seed(_SEED)
    config = LlamaConfig(
        vocab_size=len(tokenizer),
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
        **(_SHAPE | shape),
    )
    LlamaForCausalLM(config).to(torch.float32).save_pretrained(folder)


def write_tiny_adapter(folder: Path) -> None:
    """A LoRA adapter for it, of random weights large enough to change what it says. Retry: safe."""
    import torch
    from safetensors.torch import save_file

    folder.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(_SEED)
    hidden, rank = _SHAPE["hidden_size"], 8
    values = hidden // _SHAPE["num_attention_heads"] * _SHAPE["num_key_value_heads"]
    weights = {}
    for layer in range(_SHAPE["num_hidden_layers"]):
        for name, width in (("q_proj", hidden), ("v_proj", values)):
            place = f"base_model.model.model.layers.{layer}.self_attn.{name}"
            weights[f"{place}.lora_A.weight"] = torch.randn(rank, hidden)
            weights[f"{place}.lora_B.weight"] = torch.randn(width, rank)
    save_file(weights, str(folder / "adapter_model.safetensors"))
    config = {"peft_type": "LORA", "r": rank, "lora_alpha": 2 * rank, "target_modules": ["q_proj", "v_proj"]}
    (folder / "adapter_config.json").write_text(json.dumps(config))


def _trained(folder: Path) -> Any:
    """A byte-level BPE, trained on what our agents are told, so that their prompts are of usual lengths."""
    from tokenizers import Tokenizer
    from tokenizers.decoders import ByteLevel as Decoder
    from tokenizers.models import BPE
    from tokenizers.pre_tokenizers import ByteLevel
    from tokenizers.trainers import BpeTrainer
    from transformers import PreTrainedTokenizerFast

    raw = Tokenizer(BPE())
    raw.pre_tokenizer, raw.decoder = ByteLevel(add_prefix_space=False), Decoder()
    trainer = BpeTrainer(
        vocab_size=_VOCABULARY,
        special_tokens=list(_MARKS),
        initial_alphabet=ByteLevel.alphabet(),
        show_progress=False,
    )
    raw.train_from_iterator((text for name in AGENTS for text in _texts(load_agent(name))), trainer)
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=raw,
        bos_token=_MARKS[0],
        eos_token=_MARKS[1],
        pad_token=_MARKS[2],
        model_max_length=CONTEXT,
        chat_template=_CHAT,
    )
    tokenizer.save_pretrained(folder)
    return tokenizer


def _texts(agent: Agent) -> list[str]:
    """What an agent's model reads and writes."""
    told = [json.dumps(tool.described()) for tool in agent.tools]
    return [system_text(agent), json.dumps(answer_format(agent)), *told]


if __name__ == "__main__":
    write_tiny_llama(Path(sys.argv[1]))
