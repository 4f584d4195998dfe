"""What every endpoint shares: the request's session, origin and principal, and how errors become
responses.
"""
