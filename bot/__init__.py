"""Everything that is not a Discord command: money, ledger, catalogue, generation, web pages."""
