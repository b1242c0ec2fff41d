"""What agents' versions are worth: registered, with their runs and traces. Nothing else knows MLflow."""
