"""What decides: pure, without I/O. See `zenoo_rpc._async` for what waits."""
