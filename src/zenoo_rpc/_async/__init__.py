"""The coloured code: what waits. See `zenoo_rpc._core` for what decides."""
