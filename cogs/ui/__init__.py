"""What people see: cards turned into Discord messages, buttons, and the sentences of errors."""
