"""How Odoo is spoken to: login, request and reply, one module for each way."""
