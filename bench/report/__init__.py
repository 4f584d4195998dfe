"""From bench/results.json to the tables and the chart."""
