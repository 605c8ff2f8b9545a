"""The TRPO agent: an update that records every one of its own debug metrics."""
