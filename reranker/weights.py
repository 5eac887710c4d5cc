"""The network's weights as float16 safetensors, and back."""

import numpy as np
import safetensors.torch
import torch
from safetensors import SafetensorError

from contract.errors import ArtifactMismatch, BadInput, PacesetterError
from reranker.artifact import WEIGHTS, Artifact
from reranker.encoders import build_encoder
from reranker.network import CrossEncoder
from reranker.shape import set_shape
from reranker.split import SplitNetwork


def pack_weights(network: CrossEncoder) -> bytes:
    """Every weight in float16. Raises PacesetterError for one that float16 cannot hold, or that is not finite."""
    packed = {}
    for name, weight in network.state_dict().items():
        half = weight.detach().to("cpu", torch.float16)
        if not torch.isfinite(half).all():
            raise PacesetterError(
                f"weight {name} is not finite in float16: the training diverged; lower "
                "PACE_TRAINING__ENCODER_RATE and PACE_TRAINING__HEAD_RATE"
            )
        packed[name] = half.contiguous()
    raw: bytes = safetensors.torch.save(packed)
    return raw


def unpack_network(artifact: Artifact) -> CrossEncoder:
    """The network of an artifact, in float32 on the CPU.

    Raises ArtifactMismatch where the weights are no safetensors, are not those of the config and the manifest's
    shape, or are not finite.
    """
    manifest = artifact.manifest
    where = f"{WEIGHTS} of model {manifest.version}"
    try:
        weights = safetensors.torch.load(artifact.content[WEIGHTS])
    except (SafetensorError, ValueError, KeyError) as error:
        raise ArtifactMismatch(f"{where} is no safetensors file ({error}); export the model again") from error
    try:
        encoder = build_encoder(artifact.config())
    except (BadInput, ValueError, TypeError, KeyError) as error:
        raise ArtifactMismatch(f"config.json of model {manifest.version} describes no encoder: {error}") from error
    if not len(encoder.encoder.layer) == manifest.layers == len(manifest.shape):
        raise ArtifactMismatch(
            f"config.json of model {manifest.version} has {len(encoder.encoder.layer)} layers, its manifest "
            f"{manifest.layers} with a shape of {len(manifest.shape)}; export the model again"
        )
    try:
        set_shape(encoder, manifest.shape)
    except BadInput as error:
        raise ArtifactMismatch(f"manifest of model {manifest.version}: {error}; export the model again") from error
    form = SplitNetwork if manifest.states else CrossEncoder
    network = form(encoder, np.array(manifest.feature_mean, np.float32), np.array(manifest.feature_std, np.float32))
    wanted = network.state_dict()
    if differing := sorted(set(wanted) ^ set(weights)):
        state = "missing" if differing[0] in wanted else "unknown"
        raise ArtifactMismatch(f"{where}: weight {differing[0]} is {state}; export the model again")
    for name, weight in weights.items():
        if weight.shape != wanted[name].shape or weight.dtype != torch.float16:
            raise ArtifactMismatch(
                f"{where}: weight {name} is {weight.dtype} {tuple(weight.shape)}, not float16 "
                f"{tuple(wanted[name].shape)}; export the model again"
            )
        if not torch.isfinite(weight).all():
            raise ArtifactMismatch(f"{where}: weight {name} holds NaN or infinity; train the model again")
    network.load_state_dict(weights)
    network.eval()
    return network
