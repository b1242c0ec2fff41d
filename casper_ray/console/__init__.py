"""What the person sees in the terminal: live view, plain lines, JSON, summary, and errors as one line."""
