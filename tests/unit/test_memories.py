"""What is in memory only is forgotten when its person is erased."""
