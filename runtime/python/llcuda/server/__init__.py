# SPDX-License-Identifier: Apache-2.0
"""Many requests on one engine, step by step: `llcuda.server.batching`. The HTTP server is `python -m llcuda.serve`."""
