"""Numbers over time: rings of points, sources that measure, and a sampler that asks them."""
