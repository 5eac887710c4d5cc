"""Property tests here judge results, not times: on a busy machine any example may be slow."""

from hypothesis import settings

settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")
