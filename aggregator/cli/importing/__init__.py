"""The command `import`: a module for each format, and its body."""
