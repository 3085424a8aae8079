"""From records to bytes: `render_*` makes them, `read_back_*` proves them. No clock, no chance (A30)."""
