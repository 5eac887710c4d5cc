"""The objectives as sla_check sees them: asked, judged, remembered, told once an episode."""
