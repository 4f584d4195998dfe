"""The protocol-free core: a model file in, an `Engine` out, that turns request bodies into response
bodies.
"""
