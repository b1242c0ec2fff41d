"""The decision stream: every case of every batch, decided and committed once; and its commands."""
