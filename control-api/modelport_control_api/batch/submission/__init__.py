"""From a request to a job: the input received, the version chosen, and the rows that are tried again."""
