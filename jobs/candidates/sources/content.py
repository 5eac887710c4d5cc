"""Items that read alike: the cosine of their texts' embeddings. Per item; the only source for a new item."""

from pyspark.sql import DataFrame

from jobs.candidates.inputs import Inputs
from jobs.candidates.neighbours import item_neighbours


def lists(inputs: Inputs) -> DataFrame:
    catalogue = inputs.catalogue
    return item_neighbours(
        inputs.positives.sparkSession, catalogue.ids, inputs.embed(catalogue.texts), catalogue.available, inputs.length
    )
