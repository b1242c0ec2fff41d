"""The vocabulary: ids, events, time and money. Pure; imports no engine."""
