"""One process that collects every hour and writes the week's report on Monday."""
