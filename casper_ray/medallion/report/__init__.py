"""What the quality log tells a person: `casper quality`, as a page and on a terminal."""
