"""Posts: a text file for each publication, by the operator's template, for Jekyll, Hugo and the like."""
