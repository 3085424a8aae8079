"""Each publication as a text file of its own, by the operator's template: for Jekyll, Hugo and the like."""
