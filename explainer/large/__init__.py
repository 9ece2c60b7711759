"""Large models: trained by others, read from the disk or a hub, a few of them in memory at once."""
