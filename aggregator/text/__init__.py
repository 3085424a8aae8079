"""Functions on text: characters that XML allows, IRIs, slugs, bot challenges."""
