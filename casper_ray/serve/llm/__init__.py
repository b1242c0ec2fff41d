"""A model behind the door: vLLM by Ray Serve."""
