"""When two sources tell the same story. Errs on the side of two: a false merge hides news (DESIGN, section 8)."""
