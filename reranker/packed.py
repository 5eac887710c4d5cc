"""One layer as it is served: over the tokens of a pass, or for [CLS] alone."""

from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from reranker.beside import Beside, InTurn, together
from reranker.layers import Attended
from reranker.layout import Layout
from reranker.products import product

# Beyond it a logit of attention counts as this much. exp of it, and sums of thousands of them, are far within bfloat16
# and float32; a trained encoder's logits are some tens at most, and golden scores tell where they are not.
LARGEST_LOGIT = 60.0


class AfterAttention:
    """What a layer does for tokens `asking` [..., hidden] with what attention mixed for them, [..., heads * size]."""

    def __init__(self, layer: Any) -> None:
        self._mix, self._mixed_norm = product(layer.attention.output.dense), layer.attention.output.LayerNorm
        self._up, self._activation = product(layer.intermediate.dense), layer.intermediate.intermediate_act_fn
        self._down, self._norm = product(layer.output.dense), layer.output.LayerNorm

    def __call__(self, mixed: Tensor, asking: Tensor) -> Tensor:
        mixed = self._mixed_norm(self._mix.plus(mixed, asking))
        found: Tensor = self._norm(self._down.plus(self._up.activated(mixed, self._activation), mixed))
        return found


class Whole:
    """One layer for every token of some texts. Its query, key and value weights are one matrix: one product, and one
    copy into rows."""

    def __init__(self, layer: Any) -> None:
        attention = layer.attention.self
        self._size = attention.attention_head_size
        self._project, self._after = product(attention.query, attention.key, attention.value), AfterAttention(layer)

    def read(self, tokens: Tensor, present: Tensor) -> tuple[Tensor, Attended]:
        """Padded tokens [n, longest, hidden] after it, a text attending to itself, and what they answer in it."""
        projected = self._project(tokens).unflatten(2, (3, -1, self._size)).permute(2, 0, 3, 1, 4)
        keys, values = projected[1:].contiguous()
        mixed = F.scaled_dot_product_attention(projected[0], keys, values, attn_mask=present[:, None, None, :])
        return self._after(mixed.transpose(1, 2).flatten(2), tokens), Attended(keys, values, present)

    def step(self, tokens: Tensor, layout: Layout, beside: Beside | None) -> Tensor:
        """The tokens [tokens, hidden] after it; a text attends to itself, and to its query if `beside` is given."""
        projected = layout.padded(self._project(tokens)).unflatten(2, (3, -1, self._size))
        if isinstance(beside, InTurn) and tokens.device.type == "cpu" and tokens.dtype != torch.float16:
            mixed = _beside_queries(projected, layout, beside)
        else:
            mixed = _in_one(projected, layout, beside)
        return self._after(layout.packed(mixed), tokens)


def _in_one(projected: Tensor, layout: Layout, beside: Beside | None) -> Tensor:
    """What attention to an item's own keys, behind its query's, makes of `projected` [n, longest, 3, heads, size]:
    [n, longest, hidden]."""
    asking, keys, values = projected.permute(2, 0, 3, 1, 4)
    mask = None if layout.even else layout.present[:, None, None, :]
    if beside is not None:
        query = beside.rows()
        keys = torch.cat((query.keys, keys), 2)
        values = torch.cat((query.values, values), 2)
        if mask is not None or not beside.alike:
            mask = torch.cat((query.present, layout.present), 1)[:, None, None, :]
    return F.scaled_dot_product_attention(asking, keys, values, attn_mask=mask).transpose(1, 2).flatten(2)


def _beside_queries(projected: Tensor, layout: Layout, beside: InTurn) -> Tensor:
    """The same with weights that are summed up afterwards: exp of every logit, not of its distance to a row's largest.

    All items of a query ask it as one long row, so its keys are not repeated for each of them, and what they answer is
    added to what an item's own tokens do. 64 items of 34 tokens beside a query of 96 take 3.8 ms on 2 cores in
    bfloat16; flash attention, a kernel for rows of thousands, takes 7.0 in two parts, and 11.4 in one.
    """
    asking, keys, values = projected.permute(2, 3, 0, 1, 4).contiguous()  # each [heads, n, longest, size]
    heads, n, longest, size = asking.shape
    asking, keys, values = (part.view(heads * n, longest, size) for part in (asking.mul_(size**-0.5), keys, values))
    row = asking.view(heads, n * longest, size)
    own = torch.bmm(asking, keys.transpose(1, 2)).clamp_(-LARGEST_LOGIT, LARGEST_LOGIT).exp_()
    if not layout.even:
        own.view(heads, n, longest, longest).mul_(layout.present[None, :, None, :])
    weights, mixtures = [], []
    for query, start, end in beside.parts():
        part = row[:, start * longest : end * longest]
        other = torch.bmm(part, query.keys[0].transpose(1, 2)).clamp_(-LARGEST_LOGIT, LARGEST_LOGIT).exp_()
        weights.append(other.sum(2))
        mixtures.append(torch.bmm(other, query.values[0]))
    weight = own.sum(2).view(heads, n, longest, 1) + together(weights).view(heads, n, longest, 1)
    mixed = together(mixtures).view(heads * n, longest, size).baddbmm_(own, values)
    return mixed.view(heads, n, longest, size).div_(weight).permute(1, 2, 0, 3).flatten(2)


class Alone:
    """The last layer for [CLS] alone, which makes no keys and no values of the items' tokens.

    What [CLS] asks is carried through the key's weights once, q (W t + b) = (q W) t + q b, and so meets the tokens as
    they are; what they answer is mixed as they are, and carried through the value's weights once. For a head of `size`
    channels that is hidden / size times less than keys and values of 2 * hidden channels for every token.
    """

    def __init__(self, layer: Any) -> None:
        attention = layer.attention.self
        self._size = attention.attention_head_size
        self._ask, self._answer = product(attention.query), product(attention.key, attention.value)
        self._after = AfterAttention(layer)
        self._keys = attention.key.weight.unflatten(0, (-1, self._size))  # [heads, size, hidden]
        self._key_bias = attention.key.bias.unflatten(0, (-1, self._size))
        self._values = attention.value.weight.unflatten(0, (-1, self._size)).transpose(1, 2).contiguous()
        self._value_bias = attention.value.bias.unflatten(0, (-1, self._size))

    def answers(self, tokens: Tensor, present: Tensor) -> Attended:
        """What a query's tokens [n, longest, hidden] answer in it."""
        keys, values = self._answer(tokens).unflatten(2, (2, -1, self._size)).permute(2, 0, 3, 1, 4).contiguous()
        return Attended(keys, values, present)

    def step(self, cls: Tensor, tokens: Tensor, present: Tensor, scale: Tensor | None, beside: Beside) -> Tensor:
        """[CLS] after the layer, [n, hidden], of `cls` before it.

        `tokens` [n, longest, hidden] are the items' before it, in units of `scale` [hidden] where that is given;
        `present` bool[n, longest].
        """
        asked = self._ask(cls).unflatten(1, (-1, self._size)) * self._size**-0.5
        question = asked.transpose(0, 1)  # [heads, n, size]
        carried = (question @ self._keys).transpose(0, 1)  # [n, heads, hidden]
        if scale is not None:
            carried = carried * scale
        own = (carried @ tokens.transpose(1, 2)).float() + (asked * self._key_bias).sum(2, keepdim=True).float()
        own = own.masked_fill(~present[:, None, :], torch.finfo(torch.float32).min)
        of_query = beside.logits(question).transpose(0, 1).float()  # [n, heads, query tokens]
        weights = torch.cat((of_query, own), 2).softmax(2)
        to_query, to_own = weights.split((of_query.shape[2], own.shape[2]), 2)
        mixed = to_own.to(cls.dtype) @ tokens  # [n, heads, hidden]
        if scale is not None:
            mixed = mixed * scale
        answer = (mixed.transpose(0, 1) @ self._values).transpose(0, 1)  # [n, heads, size]
        answer = answer + to_own.sum(2, keepdim=True).to(cls.dtype) * self._value_bias
        answer = answer + beside.mixed(to_query.to(cls.dtype).transpose(0, 1)).transpose(0, 1)
        return self._after(answer.flatten(1), cls)
