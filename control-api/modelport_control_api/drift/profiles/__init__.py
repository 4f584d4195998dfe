"""What a reference CSV looks like, column by column."""
