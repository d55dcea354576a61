"""What a batch is made of: operations, options, results, exceptions. The same for both twins."""
