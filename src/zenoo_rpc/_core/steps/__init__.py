"""What may be asked between the calls of a batch, and what each answer decides."""
