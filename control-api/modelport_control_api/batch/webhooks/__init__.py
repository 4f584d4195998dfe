"""Messages about the end of jobs: signed, sent to public addresses only, and tried again for a day."""
