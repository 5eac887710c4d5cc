"""Adapts a base model to a catalogue's language: masked language modelling of its texts (Devlin et al. 2019)."""

import shutil
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F
from tqdm import tqdm

from contract.errors import BadInput
from reranker.artifact import UNFINISHED
from reranker.encoders import load_base_encoder
from reranker.encoding import Tokens, base_tokens, mask_token
from reranker.plan import TrainingPlan
from reranker.precision import gradient_scaler, half_type, mixed_precision, pick_device, use_threads
from reranker.steps import GRADIENT_NORM, rate_share

BATCH_TEXTS = 64
# Of the tokens so many are asked for; of these 80% are masked, 10% become another token, 10% stay as they are.
ASKED, MASKED, OTHER = 0.15, 0.8, 0.9


class MaskedTokens(nn.Module):  # type: ignore[misc]
    """Says which token stood at a place; its output layer is the encoder's own word embeddings."""

    def __init__(self, encoder: Any) -> None:
        super().__init__()
        words, width = encoder.embeddings.word_embeddings.weight.shape
        self.mix = nn.Sequential(nn.Linear(encoder.config.hidden_size, width), nn.GELU(), nn.LayerNorm(width))
        self.bias = nn.Parameter(torch.zeros(words))

    def forward(self, states: Tensor, words: Tensor) -> Tensor:
        """float32[n, words] of states [n, hidden] and the embeddings [words, width]."""
        return F.linear(self.mix(states), words, self.bias)


def adapt(base: Path, texts: Sequence[str], out: Path, tokens: int, epochs: int, plan: TrainingPlan) -> list[float]:
    """Write `base`, adapted to `texts`, to `out`: a Hugging Face directory with tokenizer; returns every step's loss.

    Equal and empty texts count once and not at all; of each the first `tokens` count. Rates, seed, device and
    precision are the plan's. Raises BadInput where the base model has no [MASK], or where there is no text.
    """
    use_threads(plan.threads)
    device = pick_device(plan.device)
    half = half_type(device, plan.precision)
    torch.manual_seed(plan.seed)
    random = np.random.default_rng(plan.seed)
    tokenizer, mask = base_tokens(base), mask_token(base)
    rows = sorted({ids for text in texts if (ids := tokenizer.of(text, tokens))})
    if not rows:
        raise BadInput("no item has a text to adapt the base model to: set PACE_TRAINING__ADAPT_EPOCHS to 0")
    encoder = load_base_encoder(base).to(device).train()
    head = MaskedTokens(encoder).to(device)
    words = encoder.embeddings.word_embeddings.weight
    optimizer = torch.optim.AdamW(
        [
            {"params": list(encoder.parameters()), "lr": plan.encoder_rate},
            {"params": list(head.parameters()), "lr": plan.head_rate},
        ],
        weight_decay=plan.weight_decay,
        fused=True,
    )
    steps = epochs * -(-len(rows) // BATCH_TEXTS)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: rate_share(step, steps, plan.warm_up))
    scaler = gradient_scaler(device, half)
    losses = []
    for chosen in tqdm(_batches(rows, epochs, random), total=steps, desc="adapt", unit="step", mininterval=1.0):
        ids, present = _padded(chosen, tokenizer, device)
        asked = _asked(present, random).to(device)
        types = torch.full_like(ids, min(1, encoder.config.type_vocab_size - 1))  # as items have it in a pair
        with mixed_precision(device, half):
            hidden = encoder(
                input_ids=_hidden(ids, asked, mask, len(words), random),
                attention_mask=present.long(),
                token_type_ids=types,
            ).last_hidden_state
            loss = F.cross_entropy(head(hidden[asked], words).float(), ids[asked])
        scaler.scale(loss).backward()
        scaler.unscale_(optimizer)
        torch.nn.utils.clip_grad_norm_([*encoder.parameters(), *head.parameters()], GRADIENT_NORM)
        scaler.step(optimizer)
        scaler.update()
        schedule.step()
        optimizer.zero_grad(set_to_none=True)
        losses.append(float(loss.detach()))
    _write(encoder.eval().cpu(), base, out)
    return losses


def _batches(
    rows: Sequence[tuple[int, ...]], epochs: int, random: np.random.Generator
) -> Iterator[list[tuple[int, ...]]]:
    for _ in range(epochs):
        order = random.permutation(len(rows))
        for start in range(0, len(rows), BATCH_TEXTS):
            yield [rows[place] for place in order[start : start + BATCH_TEXTS]]


def _padded(rows: Sequence[tuple[int, ...]], tokenizer: Tokens, device: torch.device) -> tuple[Tensor, Tensor]:
    """[CLS] text [SEP], int64[n, longest], and where a token is."""
    special = tokenizer.special
    ids = np.full((len(rows), max(map(len, rows)) + 2), special.pad, np.int64)
    for place, row in enumerate(rows):
        ids[place, : len(row) + 2] = (special.cls, *row, special.sep)
    lengths = np.array([len(row) + 2 for row in rows])
    present = np.arange(ids.shape[1])[None, :] < lengths[:, None]
    return torch.from_numpy(ids).to(device), torch.from_numpy(present).to(device)


def _asked(present: Tensor, random: np.random.Generator) -> Tensor:
    """Which tokens are asked for: at least one a text, never [CLS] or [SEP]."""
    lengths = present.sum(1).cpu().numpy()
    dice: NDArray[np.float64] = random.random(tuple(present.shape))
    column = np.arange(dice.shape[1])[None, :]
    dice[(column == 0) | (column >= lengths[:, None] - 1)] = 2.0
    return torch.from_numpy((dice < ASKED) | (dice == dice.min(1, keepdims=True)))


def _hidden(ids: Tensor, asked: Tensor, mask: int, words: int, random: np.random.Generator) -> Tensor:
    """What the network reads where it is asked."""
    dice = torch.from_numpy(random.random(tuple(ids.shape))).to(ids.device)
    others = torch.from_numpy(random.integers(0, words, tuple(ids.shape))).to(ids.device)
    seen = torch.where(asked & (dice < MASKED), mask, ids)
    return torch.where(asked & (dice >= MASKED) & (dice < OTHER), others, seen)


def _write(encoder: Any, base: Path, out: Path) -> None:
    """The whole directory or none of it."""
    out.parent.mkdir(parents=True, exist_ok=True)
    aside = Path(tempfile.mkdtemp(prefix=UNFINISHED, dir=out.parent))
    try:
        for file in base.iterdir():
            if file.is_file() and file.suffix in (".json", ".txt", ".model") and "index" not in file.name:
                shutil.copy(file, aside / file.name)
        encoder.save_pretrained(aside)
        aside.chmod(0o755)
        aside.rename(out)
    except BaseException:
        shutil.rmtree(aside, ignore_errors=True)
        raise
