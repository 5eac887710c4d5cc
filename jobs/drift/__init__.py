"""Whether the data has moved away from what the live model was trained on."""
