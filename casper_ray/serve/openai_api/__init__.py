"""The protocol of OpenAI, spoken for agents."""
