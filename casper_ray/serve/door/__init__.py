"""The HTTP border: routes, errors, limits."""
